import { assertEquals, assertRejects } from "@std/assert";
import { HttpError } from "../../shared/http/http_error.ts";
import { assertAllowed, type Judged, type Words } from "../../shared/moderation/moderator.ts";
import { moderatorFor } from "../../shared/moderation/moderator_for.ts";
import { wordList } from "../../shared/moderation/word_list.ts";
import { FAR_TOO_MUCH } from "../support/runware_support.ts";

const about = (words: Words): Judged => ({ kind: "prompt", words });
const judged = async (prompt: string) =>
  (await wordList.judge(about({ prompt })))?.field ?? "allowed";

Deno.test("plain words for what no child should see are refused, in disguise too", async () => {
  for (
    const prompt of [
      "A bloody fight",
      "two NAKED people",
      "he k1ll5 the dragon",
      "a p\u00f6rn\u200b star",
      "murderers at night",
      "f\u0075ck",
    ]
  ) assertEquals(await judged(prompt), "prompt", prompt);
});

Deno.test("harmless words that only look like them are allowed", async () => {
  for (
    const prompt of [
      "A shooting star over the stable",
      "a killer whale jumps, then green shoots grow",
      "grapes, a heroine, Gunther's method",
      "a bunny skilled at juggling in Essex",
      "Row, row, row your boat",
    ]
  ) assertEquals(await judged(prompt), "allowed", prompt);
});

Deno.test("what a video is to be without may be named", async () => {
  const wish = { ...about({ prompt: "A fox" }), negativePrompt: "blood, weapons" };
  assertEquals(await wordList.judge(wish), null);
});

Deno.test("that clothes be left out is refused, in any form", async () => {
  for (
    const negativePrompt of [
      "clothes",
      "rain, CLOTHING",
      "a red dress",
      "dr\u00e9sses, hats",
      "censored",
      ...["cl0thes", "dre$s", "undershirt", "swimsuits", "a bra", "underwear", "sundress"],
    ]
  ) {
    const verdict = await wordList.judge({ ...about({ prompt: "A girl" }), negativePrompt });
    assertEquals(verdict, { field: "negative_prompt" }, negativePrompt);
  }
  const harmless = "clouds, panthers, cameras, closed eyes, shirtless, branches, an address";
  assertEquals(
    await wordList.judge({ ...about({ prompt: "A girl" }), negativePrompt: harmless }),
    null,
  );
});

Deno.test("a refusal names the field, costs nothing and says so", async () => {
  const refused = await assertRejects(
    () => assertAllowed(wordList, about({ title: "Fun", style: "gory" })),
    HttpError,
  );
  assertEquals([refused.status, refused.code], [422, "content_refused"]);
  assertEquals(refused.message.includes("Nothing was charged"), true);
  assertEquals(refused.extra.details, [{ field: "style", message: "is not for small children" }]);
});

Deno.test("a service is asked after the word list; no answer means nothing is made", async () => {
  const asked: unknown[] = [];
  let answer: () => Response = () => Response.json({ allowed: false, field: "title" });
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    asked.push([request.headers.get("authorization"), await request.json()]);
    return answer();
  });
  try {
    const moderator = moderatorFor({ url: `http://127.0.0.1:${server.addr.port}/`, key: "sesame" });
    assertEquals(await moderator.judge(about({ prompt: "gory" })), { field: "prompt" });
    assertEquals(asked, []);
    const whole = {
      kind: "image",
      words: { prompt: "A fox", title: "x" },
      frames: { first_frame: "https://images.example.com/1.png", last_frame: undefined },
    } as const;
    const negativePrompt = "blood";
    assertEquals(await moderator.judge({ ...whole, negativePrompt }), { field: "title" });
    const { frames: { first_frame }, ...rest } = whole;
    assertEquals(asked, [
      ["Bearer sesame", { ...rest, negative_prompt: "blood", frames: { first_frame } }],
    ]);
    answer = () => Response.json({ allowed: true });
    assertEquals(await moderator.judge(about({ prompt: "A fox" })), null);
    for (
      const unreadable of [
        () => new Response("oops", { status: 500 }),
        () => new Response(JSON.stringify({ allowed: true }) + FAR_TOO_MUCH),
      ]
    ) {
      answer = unreadable;
      const judging = () => moderator.judge(about({ prompt: "A fox" }));
      assertEquals((await assertRejects(judging, HttpError)).status, 503);
    }
  } finally {
    await server.shutdown();
  }
});
