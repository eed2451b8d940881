import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  childSafeNegativePrompt,
  cleanName,
  type PromptLimits,
  rhymePrompts,
  type RhymeText,
} from "../../shared/domain/prompts.ts";

const limits: PromptLimits = { promptMax: 2_048, negativePromptMax: 2_048 };
const rhyme: RhymeText = {
  title: "Five Little Ducks",
  promptTemplate: "{child} counts five little ducks on their way over the hills, as in {title}",
  style: "soft watercolour picture book",
};
const mia = { name: "Mia", hasAvatar: true };

Deno.test("a rhyme and a child become one prompt", () => {
  const { prompt, negativePrompt } = rhymePrompts(
    { ...rhyme, videoTemplateUrl: "https://cdn.example/ducks.mp4" },
    mia,
    limits,
  );
  assertEquals(
    prompt,
    "Mia counts five little ducks on their way over the hills, as in Five Little Ducks. " +
      "Style: soft watercolour picture book. " +
      "The first picture shows Mia: keep the same face, hair and clothes. " +
      "Gentle and cheerful, made for small children, with smooth and steady motion. " +
      "Follow the look and pace of https://cdn.example/ducks.mp4",
  );
  assert(negativePrompt?.startsWith(`${childSafeNegativePrompt}, text, captions`), negativePrompt);
});

Deno.test("a style is told once: where the template puts it, or after it", () => {
  const { prompt } = rhymePrompts(
    { ...rhyme, promptTemplate: "In the manner of {style}: {child} and the ducks." },
    { name: "Mia", hasAvatar: false },
    limits,
  );
  assertEquals(prompt.split("watercolour").length, 2);
  assertEquals(prompt.includes("first picture"), false);
});

Deno.test("a child's name is data: placeholders, markup and line breaks in it do nothing", () => {
  const named = (name: string) =>
    rhymePrompts(
      { title: "Ducks", promptTemplate: "{child} swims." },
      { name, hasAvatar: false },
      limits,
    ).prompt.split(" swims.")[0];
  assertEquals(named("{title}"), "title");
  assertEquals(named("{child}"), "child");
  assertEquals(named("$& $1 $'"), "1 '");
  assertEquals(named("Mia\u0000\u202e\n<b>Rose</b>"), "Mia b Rose b");
  assertEquals(named("Zoë-Mae O'Neil Jr."), "Zoë-Mae O'Neil Jr.");
  assertEquals(named("محمد"), "محمد");
});

Deno.test("a name without a letter, or none, becomes the child", () => {
  for (const name of ["", "   ", "!!!", "\u0000", "🦆", "''"]) {
    assertEquals(cleanName(name), "the child");
  }
});

Deno.test("a very long name is cut, never in the middle of a character", () => {
  assertEquals(cleanName("a".repeat(500)).length, 40);
  const cut = cleanName("𝒜".repeat(41));
  assertEquals([...cut].length, 40);
});

Deno.test("sentences that only polish are dropped whole, last one first, until it fits", () => {
  const withReference = { ...rhyme, videoTemplateUrl: "https://cdn.example/ducks.mp4" };
  const whole = rhymePrompts(withReference, mia, limits).prompt;
  const shorter =
    rhymePrompts(withReference, mia, { ...limits, promptMax: whole.length - 1 }).prompt;
  assert(shorter.endsWith("with smooth and steady motion."));
  const shortest = rhymePrompts(withReference, mia, { ...limits, promptMax: 200 }).prompt;
  assert(shortest.endsWith("hair and clothes."));
});

Deno.test("the rhyme's own words are never cut: too long stays too long, for the door to refuse", () => {
  const { prompt } = rhymePrompts(rhyme, mia, { ...limits, promptMax: 10 });
  assert(prompt.startsWith("Mia counts five little ducks"));
  assert(prompt.length > 10);
});

Deno.test("a rhyme's negative prompt adds to what no child should see", () => {
  const told = (negativePromptMax: number) =>
    rhymePrompts({ ...rhyme, negativePrompt: "rain, blood" }, mia, { ...limits, negativePromptMax })
      .negativePrompt;
  assert(told(2_048)?.startsWith(`${childSafeNegativePrompt}, rain, text, `), "blood once");
  assertEquals(told(childSafeNegativePrompt.length + 7), `${childSafeNegativePrompt}, rain`);
  assertEquals(told(21), "violence, blood");
  assertEquals(told(0), undefined);
});

Deno.test("no name brings braces, control characters or other names' values into a prompt", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (name) => {
    const { prompt } = rhymePrompts(rhyme, { name, hasAvatar: true }, limits);
    assertEquals(/[\p{Cc}\p{Cf}\p{Cs}{}<>]/u.test(prompt), false);
    assertEquals(prompt.split("Five Little Ducks").length, 2);
    assert(prompt.length <= limits.promptMax);
  }));
});

Deno.test("whatever a catalogue holds, a negative prompt fits or is absent", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.nat(300), (text, max) => {
    const built = rhymePrompts({ ...rhyme, negativePrompt: text, style: text }, mia, {
      promptMax: 2_048,
      negativePromptMax: max,
    });
    const length = built.negativePrompt?.length ?? 2;
    assert(length >= 2 && length <= Math.max(2, max));
  }));
});
