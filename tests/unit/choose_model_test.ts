import { assertEquals } from "@std/assert";
import { chooseModel } from "../../shared/domain/choose_model.ts";
import type { Maker, Named, PriceRow } from "../../shared/domain/market.ts";
import type { ModelSpec } from "../../shared/domain/models.ts";
import type { Wish } from "../../shared/domain/prompt_video.ts";

const model = (id: string, more: Partial<ModelSpec> = {}): ModelSpec => ({
  id,
  aliases: [`${id}-alias`],
  name: `Model ${id}`,
  modes: ["text", "image"],
  promptMax: 500,
  negativePromptMax: 200,
  durations: { list: [5, 10] },
  tiers: [
    {
      name: "720p",
      sizes: [{ width: 1280, height: 720 }, { width: 720, height: 1280 }],
      price: { perSecond: 0.1 },
    },
    { name: "1080p", sizes: [{ width: 1920, height: 1080 }] },
  ],
  fps: [24],
  frames: { last: false, size: "as_asked" },
  renderSeconds: 60,
  ...more,
});

const tall4k = model("third", {
  durations: { list: [6] },
  tiers: [{ name: "4K", sizes: [{ width: 3840, height: 2160 }], price: { perSecond: 0.1 } }],
});

const makers: Maker[] = [
  { name: "one", models: [model("dear"), model("cheap"), model("old", { retired: true })] },
  {
    name: "two",
    models: [model("other"), model("frames", { frames: { last: true, size: "as_asked" } })],
  },
  { name: "three", models: [model("third", { durations: { list: [6] } })] },
];
const price = (
  provider: string,
  id: string,
  gemsPerSecond: number,
  available = true,
): PriceRow => ({
  ...{ provider, model: id, resolution: "720p", gemsPerSecond, available },
  gemsPerSecondWithSound: null,
});
const prices = [
  price("one", "dear", 3),
  price("one", "cheap", 0.5),
  price("one", "old", 0.1),
  price("two", "other", 1),
  price("two", "frames", 2),
  price("three", "third", 0.2),
];

const choose = (
  wish: Partial<Wish>,
  named: Named & { fallbacks?: Named[] } = {},
  market = { makers, prices },
) => chooseModel({ prompt: "A fox on a hill", ...wish }, named, market);

const choiceFor = (...args: Parameters<typeof choose>) => {
  const choice = choose(...args);
  if ("problems" in choice) throw new Error(JSON.stringify(choice.problems));
  return choice;
};
const chosenBy = (...args: Parameters<typeof choose>) => {
  const choice = choose(...args);
  return "problems" in choice
    ? choice.problems
    : `${choice.chosen.provider}/${choice.chosen.spec.id}`;
};
const problemsOf = (...args: Parameters<typeof choose>) => {
  const choice = choose(...args);
  return "problems" in choice
    ? choice.problems.map(({ field, allowed }) => ({ field, allowed }))
    : [];
};

Deno.test("nothing named: the cheapest that can do it, with the reason and others to fall back on", () => {
  const choice = choiceFor({ duration: 5 });
  assertEquals([choice.chosen.spec.id, choice.chosen.gems], ["cheap", 3]);
  assertEquals(choice.reason, "Model cheap is the cheapest of 4 models that can make this now.");
  // One of each other provider, and only what makes the same length.
  assertEquals(choice.fallbacks.map(({ provider, spec }) => `${provider}/${spec.id}`), [
    "two/other",
  ]);
});

Deno.test("what is asked decides who can: a last frame, a length, a shape", () => {
  assertEquals(chosenBy({ duration: 6 }), "three/third");
  const frames = { firstFrame: "https://a.example/1.png", lastFrame: "https://a.example/2.png" };
  assertEquals(chosenBy({ ...frames, duration: 5 }), "two/frames");
  assertEquals(chosenBy({ aspectRatio: "9:16", duration: 10 }), "one/cheap");
});

Deno.test("auto passes over a model that cannot do what is asked, however cheap it is", () => {
  const makers: Maker[] = [{
    name: "one",
    models: [
      model("loud", { audio: "always" }),
      model("from_picture", { frames: { last: false, size: "from_image" } }),
      model("able", { seed: true, audio: "on_request" }),
    ],
  }];
  const market = {
    makers,
    prices: [price("one", "loud", 0.1), price("one", "from_picture", 0.2), price("one", "able", 9)],
  };
  const chosen = (wish: Partial<Wish>) => chosenBy(wish, {}, market);
  assertEquals(chosen({}), "one/loud");
  assertEquals(chosen({ audio: false }), "one/from_picture");
  assertEquals(chosen({ seed: 7 }), "one/able");
  const firstFrame = "https://a.example/1.png";
  assertEquals(chosen({ firstFrame, audio: false }), "one/from_picture");
  assertEquals(chosen({ firstFrame, audio: false, resolution: "720p" }), "one/able");
  assertEquals(chosen({ firstFrame, audio: false, aspectRatio: "9:16" }), "one/able");
});

Deno.test("sound has a price of its own, and is not sold without one", () => {
  const speaking = { audio: "on_request" } as const;
  const makers: Maker[] = [{
    name: "one",
    models: [model("mute", speaking), model("loud", speaking), model("quiet", speaking)],
  }];
  const withSound = (id: string, gemsPerSecond: number, gemsPerSecondWithSound: number) => ({
    ...price("one", id, gemsPerSecond),
    gemsPerSecondWithSound,
  });
  const market = {
    makers,
    prices: [price("one", "mute", 0.1), withSound("loud", 0.2, 4), withSound("quiet", 1, 1.5)],
  };
  const bought = (wish: Partial<Wish>, named: Named = {}) => {
    const { chosen } = choiceFor({ duration: 5, ...wish }, named, market);
    return [chosen.spec.id, chosen.gems];
  };
  assertEquals(bought({}), ["mute", 1]);
  assertEquals(bought({ audio: false }), ["mute", 1]);
  assertEquals(bought({ audio: true }), ["quiet", 8]);
  assertEquals(bought({ audio: true }, { model: "loud" }), ["loud", 20]);
  assertEquals(problemsOf({ audio: true }, { model: "mute" }, market), [
    { field: "audio", allowed: [false] },
  ]);
});

Deno.test("a provider or a model that is named is taken, by alias too, and no reason is given for both", () => {
  assertEquals(chosenBy({}, { provider: "two" }), "two/other");
  assertEquals(chosenBy({}, { model: "dear-alias" }), "one/dear");
  const both = choiceFor({}, { provider: "one", model: "dear" });
  assertEquals([both.reason, both.fallbacks], [undefined, []]);
});

Deno.test("a provider that takes no work now comes last, whatever it costs", () => {
  const resting = prices.map((row) => row.provider === "one" ? { ...row, available: false } : row);
  assertEquals(chosenBy({ duration: 5 }, {}, { makers, prices: resting }), "two/other");
  const one = makers.slice(0, 1);
  assertEquals(chosenBy({ duration: 5 }, {}, { makers: one, prices: resting }), "one/cheap");
});

Deno.test("what cannot be is told by field with what would do", () => {
  assertEquals(problemsOf({}, { provider: "four" }), [
    { field: "provider", allowed: ["auto", "one", "two", "three"] },
  ]);
  assertEquals(problemsOf({}, { provider: "two", model: "cheap" }), [
    { field: "model", allowed: ["auto", "other", "frames"] },
  ]);
  assertEquals(problemsOf({ duration: 30 }, { model: "cheap" }), [
    { field: "duration", allowed: [5, 10] },
  ]);
  assertEquals(problemsOf({ resolution: "8K" }, { model: "cheap" }), [
    { field: "resolution", allowed: ["720p"] },
  ]);
  assertEquals(problemsOf({ aspectRatio: "1:1" }, { model: "cheap" }), [
    { field: "aspect_ratio", allowed: ["16:9", "9:16"] },
  ]);
  assertEquals(problemsOf({ audio: true }, { model: "cheap" }), [
    { field: "audio", allowed: [false] },
  ]);
  assertEquals(problemsOf({}, { model: "old" }), [{ field: "model", allowed: [] }]);
});

Deno.test("a quality without a price is not sold, and those that have one are told", () => {
  assertEquals(problemsOf({ resolution: "1080p" }, { model: "cheap" }), [
    { field: "resolution", allowed: ["720p"] },
  ]);
  assertEquals(problemsOf({ resolution: "1080p" }), [{ field: "resolution", allowed: ["720p"] }]);
});

Deno.test("where the choice is ours, what any of the models that are sold would take is told", () => {
  const long = model("long", { durations: { min: 1, max: 6, step: 0.5 } });
  const longer = model("longer", { durations: { min: 4, max: 9, step: 0.5 } });
  const unsold = model("unsold", { durations: { list: [40] } });
  const four = { name: "four", models: [long, longer, unsold] };
  const market = {
    makers: [...makers, four],
    prices: [...prices, price("four", "long", 1), price("four", "longer", 1)],
  };
  const told = (wish: Partial<Wish>, named: Named = {}) => {
    const choice = choose(wish, named, market);
    return "problems" in choice ? choice.problems : [];
  };
  assertEquals(told({ duration: 100 }), [{
    field: "duration",
    message: "No model that is sold makes 100 seconds: take 10 or 1 to 9 in steps of 0.5",
    allowed: [10, { min: 1, max: 9, step: 0.5 }],
  }]);
  assertEquals(told({ duration: 100 }, { provider: "one" }), [{
    field: "duration",
    message: "No model of one that is sold makes 100 seconds: take 5 or 10",
    allowed: [5, 10],
  }]);
  // "third" makes 6 seconds, and the others make 720p: no field is wrong with all of them.
  const tall = { ...market, makers: [...makers.slice(0, 2), { name: "three", models: [tall4k] }] };
  const both = choose({ resolution: "4K", duration: 10 }, {}, {
    ...tall,
    prices: [...prices, { ...price("three", "third", 1), resolution: "4K" }],
  });
  assertEquals("problems" in both && both.problems, [{
    field: "resolution",
    message: 'No model that is sold makes "4K" with the rest of this: take "720p"',
    allowed: ["720p"],
  }]);
});

Deno.test("what was left out is not blamed where something that was asked for is wrong", () => {
  const picture = model("picture", { modes: ["image"] });
  const market = {
    makers: [{ name: "one", models: [picture, model("words")] }],
    prices: [price("one", "picture", 1), price("one", "words", 1)],
  };
  assertEquals(problemsOf({ aspectRatio: "21:9" }, {}, market), [
    { field: "aspect_ratio", allowed: ["16:9", "9:16"] },
  ]);
});

Deno.test("a provider whose prices are gone sells nothing, whatever else is wrong with it", () => {
  const picture = model("picture", { modes: ["image"] });
  const left = { makers: [...makers, { name: "four", models: [picture, model("word")] }], prices };
  const unsold = [{ field: "provider", allowed: ["auto"] }];
  assertEquals(problemsOf({}, { provider: "four" }, left), unsold);
  assertEquals(problemsOf({ duration: 30 }, { provider: "four" }, left), unsold);
  // One of them is still sold, and could not have been meant.
  const some = { ...left, prices: [...prices, price("four", "picture", 1)] };
  assertEquals(problemsOf({}, { provider: "four" }, some), unsold);
  assertEquals(problemsOf({}, { model: "word" }, left), [{ field: "model", allowed: ["auto"] }]);
  assertEquals(problemsOf({}, {}, { makers, prices: [] }), [
    { field: "model", allowed: undefined },
  ]);
});

Deno.test("each fallback that is named must be able to do the same, and is named where it cannot", () => {
  const named = { provider: "one", model: "dear", fallbacks: [{ provider: "two" }] };
  const choice = choiceFor({}, named);
  assertEquals(choice.fallbacks.map(({ spec }) => spec.id), ["other"]);
  assertEquals(
    problemsOf({}, { ...named, fallbacks: [{ provider: "two" }, { provider: "three" }] }),
    [
      { field: "fallbacks.1.duration", allowed: [6] },
    ],
  );
});

Deno.test("a fallback that is left to us is another than the first choice and than those before it", () => {
  const chain = (named: Named, fallbacks: Named[]) =>
    choiceFor({ duration: 5 }, { ...named, fallbacks }).fallbacks
      .map(({ provider, spec }) => `${provider}/${spec.id}`);
  const dear = { provider: "one", model: "dear" };
  const cheap = { provider: "one", model: "cheap" };
  const auto = { provider: "auto" };
  assertEquals(chain(dear, [auto]), ["one/cheap"]);
  assertEquals(chain(dear, [auto, auto]), ["one/cheap", "two/other"]);
  assertEquals(chain(dear, [dear, cheap, cheap]), ["one/cheap"]);
  // Nobody else can make it at this price: no fallback, and no reason to refuse.
  assertEquals(chain(cheap, [auto]), []);
});

Deno.test("a fallback that is named is one the price pays for, at the quality it would be made in", () => {
  const cheap = { provider: "one", model: "cheap" };
  assertEquals(problemsOf({ duration: 5 }, { ...cheap, fallbacks: [{ provider: "two" }] }), [
    { field: "fallbacks.0.provider", allowed: ["auto", "one"] },
  ]);
  const told = choose({ duration: 5 }, {
    ...cheap,
    fallbacks: [{ provider: "two", model: "frames" }],
  }, { makers, prices: [...prices.slice(1), price("two", "other", 0.2)].reverse() });
  assertEquals("problems" in told && told.problems, [{
    field: "fallbacks.0.model",
    message: "costs more than the 3 gems that are charged",
    allowed: ["other"],
  }]);
  const single = choose({ duration: 5 }, { provider: "three", fallbacks: [{ provider: "two" }] }, {
    makers: [...makers.slice(0, 2), { name: "three", models: [model("third")] }],
    prices,
  });
  assertEquals("problems" in single && single.problems, [{
    field: "fallbacks.0.provider",
    message: "two has nothing that makes this for the 1 gem that is charged",
    allowed: ["auto", "three"],
  }]);
  const named = { model: "dear", fallbacks: [{ provider: "one" }, { provider: "two" }] };
  const choice = choiceFor({ duration: 5 }, named);
  assertEquals(choice.fallbacks.map(({ spec }) => spec.id), ["cheap", "other"]);

  // Left to itself "other" is made in 720p; in place of one in 1080p it is made in that.
  const high = (provider: string, id: string, gems: number) => ({
    ...price(provider, id, gems),
    resolution: "1080p",
  });
  const market = { makers, prices: [...prices, high("one", "dear", 3), high("two", "other", 9)] };
  assertEquals(
    problemsOf({ resolution: "1080p", duration: 5 }, {
      ...{ provider: "one", model: "dear", fallbacks: [{ provider: "two", model: "other" }] },
    }, market),
    [{ field: "fallbacks.0.provider", allowed: ["auto", "one"] }],
  );
  const tall = model("tall", { tiers: model("x").tiers.slice(1) });
  const [one, ...rest] = makers;
  const more = {
    makers: [{ name: "one", models: [...one?.models ?? [], tall] }, ...rest],
    prices: [...market.prices, high("one", "tall", 3)],
  };
  assertEquals(
    problemsOf(
      { duration: 5 },
      { model: "tall", fallbacks: [{ provider: "two", model: "other" }] },
      more,
    ),
    [{ field: "fallbacks.0.provider", allowed: ["auto", "one"] }],
  );
});
