import { assert, assertEquals } from "@std/assert";
import { FunctionsHttpError } from "@supabase/supabase-js";
import { z } from "zod";
import { type Customer, newCustomer, queued } from "../support/app.ts";
import { byHand, delivered, stored } from "../support/by_hand.ts";
import { DIDDLE, TWINKLE } from "../support/fixtures.ts";
import { fieldsOf, INTERNALS } from "../support/refusals.ts";
import { anonymousClient } from "../support/users.ts";

const errorBody = z.object({
  success: z.literal(false),
  error: z.string(),
  code: z.string(),
  details: z.unknown().optional(),
  request_id: z.uuid(),
});

type Invoke = NonNullable<Parameters<Customer["client"]["functions"]["invoke"]>[1]>;

/** What an app sees of a refusal, through the real client: status, code, fields and the sentence. */
async function refusalOf(client: Customer["client"], name: string, options: Invoke) {
  const { data, error } = await client.functions.invoke(name, options);
  assertEquals(data, null);
  if (!(error instanceof FunctionsHttpError)) throw new Error(`Not a refusal: ${error}`);
  const response: unknown = error.context;
  if (!(response instanceof Response)) throw new Error("The context is no response");
  const body = errorBody.parse(await response.json());
  assertEquals(response.headers.get("x-request-id"), body.request_id);
  assert(!INTERNALS.test(JSON.stringify(body)), JSON.stringify(body));
  const retry = response.headers.get("retry-after");
  return {
    what: [response.status, body.code, ...fieldsOf(body.details)].join(" "),
    sentence: body.error,
    retry,
  };
}

Deno.test("F40 each error reaches the app through functions.invoke with its code, its sentence and a request id", async () => {
  await byHand({ settings: { queue_limit: 3 } }, async (app) => {
    const customer = await newCustomer(app, { gems: 40 });
    const { client, childId } = customer;
    const done = await queued(app, customer);
    await delivered(app, done);
    await stored(app);

    const song = { child_id: childId, rhyme_id: TWINKLE };
    const ask = (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
      refusalOf(client, "queue-video", { body: { ...song, ...body }, headers });
    const key = { "idempotency-key": "tap" };
    const first = await client.functions.invoke("queue-video", { body: song, headers: key });
    assertEquals(first.error, null);

    const cases = [
      [await ask({ rhyme_id: "x" }), "400 invalid_request rhyme_id", /^rhyme_id: /],
      [await ask({ gem_cost: 0 }), "400 invalid_request gem_cost", /^gem_cost: is not a field/],
      [
        await refusalOf(client, "queue-video", { body: "{" }),
        "400 malformed_body",
        /not valid JSON/,
      ],
      [
        await ask({ user_id: crypto.randomUUID() }),
        "403 not_yours user_id",
        /not the signed-in user/,
      ],
      [
        await ask({ rhyme_id: crypto.randomUUID() }),
        "404 not_found rhyme_id",
        /^No rhyme with id "/,
      ],
      [await ask({ seed: 7 }, key), "409 idempotency_key_reused", /used with another body/],
      [await ask({ title: "x".repeat(70_000) }), "413 body_too_large", /larger than 65536 bytes/],
      [await ask({ duration: 7 }), "422 unsupported_option duration", /5 or 8 seconds, not 7/],
      [
        await refusalOf(client, "cancel-video", { body: { video_id: done } }),
        "409 not_possible_now",
        /is completed and can no longer be cancelled/,
      ],
      [
        await refusalOf(client, `video-status?video_id=${childId}`, { method: "GET" }),
        "404 not_found video_id",
        /no such video/,
      ],
      [await refusalOf(client, "queue-video", { method: "PUT" }), "405 method_not_allowed", /POST/],
      [await ask({ rhyme_id: DIDDLE }), "402 insufficient_gems", /not enough gems/],
    ] as const;
    for (const [{ what, sentence }, expected, words] of cases) {
      assertEquals(what, expected, sentence);
      assert(words.test(sentence), sentence);
    }

    for (let i = 0; i < 2; i++) {
      const taken = await client.functions.invoke("queue-video", { body: song });
      assertEquals(taken.error, null);
    }
    const busy = await ask({});
    assertEquals([busy.what, busy.retry], ["429 queue_limit", "30"]);

    const visitor = await refusalOf(anonymousClient(app), "queue-video", { body: song });
    assertEquals([visitor.what, visitor.sentence], [
      "401 unauthorized",
      "Sign in and send your access token",
    ]);
  });
});
