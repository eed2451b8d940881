/**
 * From a rhyme and a child, or from a caller's own words, to what a model is told. Pure.
 *
 * Two kinds of text meet here. A rhyme is ours and may use placeholders; a child's name is typed by
 * a stranger and is only ever data: it is reduced to the characters names are made of, and filled in
 * one pass, so that nothing in it is read as a placeholder or as an instruction.
 *
 * Length: the rhyme's own words and the child are the video and are never cut. Sentences at the end
 * that only polish are dropped whole, last one first. If the rest is still too long, it is returned
 * as it is and `checkRequest` refuses it: a cut sentence would buy a wrong video.
 */

/** What the catalogue says about a rhyme. */
export interface RhymeText {
  readonly title: string;
  /** May hold `{child}`, `{title}` and `{style}`. A seed with any other is refused by its test. */
  readonly promptTemplate: string;
  readonly negativePrompt?: string;
  readonly style?: string;
  /** A video whose look and pace this one follows. */
  readonly videoTemplateUrl?: string;
}

/** The star of the video. */
export interface ChildText {
  readonly name: string;
  /** True where the child's picture is sent as the first frame. */
  readonly hasAvatar: boolean;
}

/** What the model takes; `ModelSpec` fits. */
export interface PromptLimits {
  readonly promptMax: number;
  /** 0 where the model takes no negative prompt. */
  readonly negativePromptMax: number;
}

/** What a model is told. `negativePrompt` is absent where the model takes none. */
export interface Prompts {
  readonly prompt: string;
  readonly negativePrompt?: string;
}

/**
 * What no video for a child may show. Said first; a caller's words never take its room, and a rhyme's come
 * after it.
 */
export const childSafeNegativePrompt =
  "violence, blood, weapons, nudity, horror, scary faces, crying, smoking, alcohol";
/** What models get wrong, most important first. */
const FLAWS = "text, captions, watermark, logo, distorted face, extra fingers, deformed hands, " +
  "blurry, flicker";

const NAME_MAX = 40;
const PLACEHOLDER = /\{([a-z_]+)\}/g;

/** Builds the prompts for one rhyme video. */
export function rhymePrompts(rhyme: RhymeText, child: ChildText, limits: PromptLimits): Prompts {
  const prompt = fit(coreOf(rhyme, child), polishOf(rhyme), limits.promptMax);
  const negative = fitList(negativeOf(rhyme.negativePrompt), limits.negativePromptMax);
  // Below two characters providers refuse the field (Runware's API reference, "negativePrompt").
  return negative.length < 2 ? { prompt } : { prompt, negativePrompt: negative };
}

/** How freely a model is to read a caller's words. */
export const promptingStrategies = ["default", "creative", "precise"] as const;
/** One of the strategies. */
export type PromptingStrategy = typeof promptingStrategies[number];

/** What is said to the model beside the caller's words, so that it takes them as freely as asked. */
const strategyText: Readonly<Record<PromptingStrategy, string>> = {
  default: "",
  creative: "Read this freely, with surprising and imaginative details.",
  precise: "Show exactly this, and add nothing that is not described.",
};

/** Builds the prompts from what a caller asks for, of which nothing is ever cut. */
export function wordsPrompts(
  { prompt, negativePrompt = "", style = "", strategy = "default" }: {
    readonly prompt: string;
    readonly negativePrompt?: string | undefined;
    readonly style?: string | undefined;
    readonly strategy?: PromptingStrategy | undefined;
  },
  limits: PromptLimits,
): Prompts {
  const words = cleanLine(prompt);
  const look = cleanLine(style);
  const core = look === "" ? words : `${sentence(words)} Style: ${sentence(look)}`;
  const manner = strategyText[strategy];
  const told = manner === "" ? core : `${sentence(core)} ${manner}`;
  const own = cleanLine(negativePrompt);
  // A model that takes none is named as the problem when the caller asks for one, and not when we do.
  if (limits.negativePromptMax === 0) {
    return own === "" ? { prompt: told } : { prompt: told, negativePrompt: own };
  }
  const needed = own === "" ? childSafeNegativePrompt : `${childSafeNegativePrompt}, ${own}`;
  const room = Math.max(limits.negativePromptMax, needed.length);
  return { prompt: told, negativePrompt: fitList(negativeOf(own), room) };
}

/** A name as it may stand in a prompt: letters, digits, spaces, ' - and dots, at most 40. */
export function cleanName(name: string): string {
  const kept = name
    .normalize("NFC")
    .replace(/[\p{Cc}\p{Cf}]/gu, "")
    .replace(/[^\p{L}\p{M}\p{N}'’.\- ]/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
  const short = Array.from(kept).slice(0, NAME_MAX).join("").trim();
  return /[\p{L}\p{N}]/u.test(short) ? short : "the child";
}

/** One line without control or invisible characters, lone surrogates or runs of space. */
function cleanLine(text: string): string {
  return text
    .normalize("NFC")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ")
    .replace(/[\p{Cf}\p{Cs}]/gu, "")
    .replace(/ +/g, " ")
    .trim();
}

function coreOf(rhyme: RhymeText, child: ChildText): string {
  const name = cleanName(child.name);
  const style = cleanLine(rhyme.style ?? "");
  const values = new Map([["child", name], ["title", cleanLine(rhyme.title)], ["style", style]]);
  // One pass over the template: what a value brings in is never looked at again.
  const told = cleanLine(rhyme.promptTemplate).replace(
    PLACEHOLDER,
    (_whole, key: string) => values.get(key) ?? key,
  );
  const sentences = [sentence(told)];
  if (style !== "" && !rhyme.promptTemplate.includes("{style}")) {
    sentences.push(`Style: ${sentence(style)}`);
  }
  if (child.hasAvatar) {
    sentences.push(`The first picture shows ${name}: keep the same face, hair and clothes.`);
  }
  return sentences.join(" ");
}

/** Sentences a video can do without, most useful first. */
function polishOf(rhyme: RhymeText): string[] {
  const polish = ["Gentle and cheerful, made for small children, with smooth and steady motion."];
  if (rhyme.videoTemplateUrl !== undefined) {
    polish.push(`Follow the look and pace of ${cleanLine(rhyme.videoTemplateUrl)}`);
  }
  return polish;
}

/** A rhyme or a caller adds to what no child should see, and never takes that away. */
function negativeOf(own = ""): string {
  return [childSafeNegativePrompt, cleanLine(own), FLAWS].join(", ");
}

function fit(core: string, polish: readonly string[], max: number): string {
  for (let kept = polish.length; kept > 0; kept -= 1) {
    const whole = [core, ...polish.slice(0, kept)].join(" ");
    if (whole.length <= max) return whole;
  }
  return core;
}

/** Drops whole entries of a comma-separated list, last one first, until it fits. */
function fitList(list: string, max: number): string {
  const trimmed = list.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
  const entries = [...new Set(trimmed)];
  while (entries.length > 0 && entries.join(", ").length > max) entries.pop();
  return entries.join(", ");
}

function sentence(text: string): string {
  return /[.!?…]$/u.test(text) ? text : `${text}.`;
}
