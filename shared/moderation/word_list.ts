/** The built-in judge: whole words that have no place in a video for small children. */
import type { Moderator } from "./moderator.ts";

/**
 * Stems; an ending of up to four letters still counts ("murder", "murderer", "murdered"). Kept short on
 * purpose: it stops the plain cases, the providers' own safety checks see the pictures.
 */
const stems = [
  ...["blood", "bloody", "gore", "gory", "murder", "kill", "killer", "suicid", "behead", "tortur"],
  ...["corpse", "massacr", "shoot", "gun", "rifle", "pistol", "grenad", "bomb", "stab", "weapon"],
  ...["sex", "sexual", "porn", "nude", "nudity", "naked", "erotic", "fetish", "rape", "rapist"],
  ...["orgasm", "genital", "penis", "vagina", "nipple", "lingerie", "stripper", "hentai", "nsfw"],
  ...["cocain", "heroin", "meth", "crack pipe", "vodka", "whiskey", "drunk", "cigarett", "vape"],
  ...["nazi", "hitler", "swastika", "terroris", "lynch", "racist", "fuck", "shit"],
  ...["bitch", "cunt", "whore", "slut", "asshole", "bastard", "satan", "exorcis"],
];

/** What is worn. A picture's people keep it on: that it be left out is refused, and "shirtless" is not. */
const worn = [
  ...[
    "cloth",
    "dress",
    "garment",
    "outfit",
    "shirt",
    "blouse",
    "skirt",
    "pants",
    "panty",
    "panties",
  ],
  ...["trouser", "shorts", "jeans", "bras?(?![a-z])", "bikini", "swimsuit", "bathing suit", "gown"],
  ...["underwear", "swimwear", "nightwear", "pajama", "pyjama", "diaper", "censor"],
];
const WORN = new RegExp(
  `(?<![a-z])(?:under|night|sun|sweat)?(?:${worn.join("|")})(?!less)[a-z]{0,4}(?![a-z])`,
);

/** Harmless phrases with such a word in them. */
const HARMLESS =
  /\b(?:shooting stars?|killer whales?|naked mole[- ]rats?|water (?:gun|pistol)s?)\b/g;

/** Longer words that only begin like one of the stems. */
const innocent = new Set([
  ...["method", "methods", "gunther", "gunnar", "shoots", "heroine", "heroines", "rapeseed"],
  ...["stable", "stables", "sextet", "sextant", "sexton", "shitake", "bombay", "gunny"],
]);

const STEM = new RegExp(`(?<![a-z])(?:${stems.join("|")})[a-z]{0,4}(?![a-z])`, "g");

/** Letters that stand in for others where people dodge such a list. */
const disguises: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  "$": "s",
  "!": "i",
};

/**
 * Refuses the field in which one of the words stands. They may be left out of a video, and clothes may
 * not. Makes no call.
 */
export const wordList: Moderator = {
  judge({ words, negativePrompt }) {
    if (negativePrompt !== undefined && readings(negativePrompt).some((one) => WORN.test(one))) {
      return Promise.resolve({ field: "negative_prompt" });
    }
    for (const [field, text] of Object.entries(words)) {
      if (text !== undefined && isRefused(text)) return Promise.resolve({ field });
    }
    return Promise.resolve(null);
  },
};

/** The text in plain letters, and once more with signs read as the letters they stand in for. */
function readings(text: string): [string, string] {
  const plain = text.normalize("NFKD").replace(/\p{M}|\p{Cf}/gu, "").toLowerCase();
  return [plain, plain.replace(/[0-9@$!]/g, (sign) => disguises[sign] ?? sign)];
}

function isRefused(text: string): boolean {
  return readings(text).some((one) =>
    (one.replace(HARMLESS, " ").match(STEM) ?? []).some((word) => !innocent.has(word))
  );
}
