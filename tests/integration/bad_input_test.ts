import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Answer, call, type Customer, headersOf, newCustomer, queue } from "../support/app.ts";
import { byHand, type HandStack, rowCounts } from "../support/by_hand.ts";
import { balanceOf, DIDDLE, TWINKLE } from "../support/fixtures.ts";
import { fieldsOf, INTERNALS } from "../support/refusals.ts";

/** That an answer is a refusal in our form, and what it refuses: status, code, fields. */
function refusal({ status, body, headers }: Answer): string {
  const { details: _, ...rest } = body;
  assertEquals(Object.keys(rest).sort(), ["code", "error", "request_id", "success"]);
  assertEquals(body["success"], false);
  assertMatch(String(body["error"]), /^\S.{4,}/s);
  assertMatch(String(body["request_id"]), /^[0-9a-f-]{36}$/);
  assertEquals(headers.get("x-request-id"), body["request_id"]);
  assertEquals(headers.get("content-type"), "application/json");
  assert(!INTERNALS.test(JSON.stringify(body)), JSON.stringify(body));
  return [status, body["code"], ...fieldsOf(body["details"])].join(" ");
}

/** Gives `work` a customer, and sees that nothing at all was written meanwhile. */
function nothingWritten(work: (app: HandStack, customer: Customer) => Promise<void>) {
  return () =>
    byHand({}, async (app) => {
      const customer = await newCustomer(app);
      const before = await rowCounts(app);
      await work(app, customer);
      assertEquals(await rowCounts(app), before);
      assertEquals(app.sandbox.control.state().counts.posts, 0);
    });
}

const AVATAR = "https://avatars.example.com/mia.png";
const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

/** What is not even a JSON object. */
const MALFORMED: Readonly<Record<string, BodyInit>> = {
  "": "400 malformed_body",
  "not JSON": "400 malformed_body",
  "{": "400 malformed_body",
  "{}{}": "400 malformed_body",
  "\u0000": "400 malformed_body",
  "null": "400 invalid_request body",
  "[]": "400 invalid_request body",
  "7": "400 invalid_request body",
  '"text"': "400 invalid_request body",
  [deep(10_000)]: "400 invalid_request body",
};

Deno.test(
  "queue-video and cancel-video refuse what is not a JSON object, and more than it takes of it",
  nothingWritten(async (app, customer) => {
    const headers = { ...headersOf(app, customer), "content-type": "application/json" };
    for (const name of ["queue-video", "cancel-video"]) {
      for (const [body, expected] of Object.entries(MALFORMED)) {
        const answer = await call(app, name, { headers, body });
        assertEquals(refusal(answer), expected, `${name} ${body.slice(0, 20)}`);
      }
      const bytes = await call(app, name, { headers, body: new Uint8Array([0x7b, 0xff, 0x7d]) });
      assertEquals(refusal(bytes), "400 malformed_body");
      for (const size of [66_000, 10_000_000]) {
        const body = JSON.stringify({ video_id: "x".repeat(size) });
        assertEquals(refusal(await call(app, name, { headers, body })), "413 body_too_large");
        // Without a content-length, so that the bytes have to be counted.
        const stream = new Blob([body]).stream();
        const answer = await call(app, name, { headers, body: stream });
        assertEquals(refusal(answer), "413 body_too_large");
      }
    }
  }),
);

/** A video from words, which takes no rhyme. */
const WORDS = { kind: "prompt", rhyme_id: undefined, prompt: "A fox in the snow" };

/** One wrong field of queue-video each, and the refusal. */
const WRONG_FIELDS: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ kind: "song" }, "400 invalid_request kind"],
  [{ kind: null }, "400 invalid_request kind"],
  [{ rhyme_id: undefined }, "400 invalid_request rhyme_id"],
  [{ child_id: undefined, rhyme_id: 7 }, "400 invalid_request child_id rhyme_id"],
  [{ rhyme_id: "twinkle" }, "400 invalid_request rhyme_id"],
  [{ rhyme_id: `${TWINKLE}\u0000` }, "400 invalid_request rhyme_id"],
  [{ rhyme_id: `${TWINKLE}' or '1'='1` }, "400 invalid_request rhyme_id"],
  [{ rhyme_id: [TWINKLE] }, "400 invalid_request rhyme_id"],
  [{ child_id: "" }, "400 invalid_request child_id"],
  [{ child_id: { id: 1 } }, "400 invalid_request child_id"],
  [{ user_id: "me" }, "400 invalid_request user_id"],
  [{ rhyme_id: crypto.randomUUID() }, "404 not_found rhyme_id"],
  [{ child_id: crypto.randomUUID() }, "404 not_found child_id"],
  // Nothing that decides about money is the client's to say.
  [{ gem_cost: 0 }, "400 invalid_request gem_cost"],
  [{ price: 0, cost_usd: 0 }, "400 invalid_request price cost_usd"],
  [{ prompt: "x".repeat(5_000) }, "400 invalid_request prompt"],
  [{ provider: "runware" }, "400 invalid_request provider"],
  [{ status: "completed" }, "400 invalid_request status"],
  [{ options: { model: "x" } }, "400 invalid_request options"],
  [{ "a\u0000b": 1 }, "400 invalid_request a\u0000b"],
  [{ "\ud800": 1 }, "400 invalid_request \ud800"],
  [{ model: 5 }, "400 invalid_request model"],
  [{ model: "" }, "400 invalid_request model"],
  [{ model: "m".repeat(101) }, "400 invalid_request model"],
  [{ model: "pixverse\u0000", rhyme_id: crypto.randomUUID() }, "400 invalid_request model"],
  [{ model: "pixverse\ud800", rhyme_id: crypto.randomUUID() }, "400 invalid_request model"],
  [{ duration: "5" }, "400 invalid_request duration"],
  [{ duration: -5 }, "400 invalid_request duration"],
  [{ duration: 1e9 }, "400 invalid_request duration"],
  [{ width: 1.5, height: 0 }, "400 invalid_request width height"],
  [{ fps: 121 }, "400 invalid_request fps"],
  [{ ...WORDS, title: "a\u0000b" }, "400 invalid_request title"],
  [{ ...WORDS, prompt: "A fox\ud800", style: "\udc00" }, "400 invalid_request prompt style"],
  [{ seed: -1 }, "400 invalid_request seed"],
];

/** Pictures that must never be handed to a provider. */
const AVATARS: readonly unknown[] = [
  ...[
    "",
    "mia.png",
    "//avatars.example.com/a.png",
    "javascript:alert(1)",
    "data:image/png;base64,AA",
  ],
  ...["file:///etc/passwd", "http://avatars.example.com/a.png", "ftp://avatars.example.com/a.png"],
  ...["https://evil.example.com/a.png", "https://avatars.example.com.evil.com/a.png"],
  ...["https://evil.com/avatars.example.com", "https://evil.com?avatars.example.com"],
  ...["https://mia:secret@avatars.example.com/a.png", "https://mia@avatars.example.com/a.png"],
  ...["https://avatars.example.com@evil.com/", "https://avatars.example.com:8443/a.png"],
  ...["https://avatars.example.com\\@evil.com/a.png", "https:\\\\avatars.example.com\\a.png"],
  ...["https://169.254.169.254/latest/meta-data", "https://[::1]/a.png", "https://2852039166/"],
  ...["https://127.0.0.1/a.png", "https://localhost/a.png", "https://avatars.example.com./a.png"],
  ...[`${AVATAR}\u0000`, `${AVATAR}\ud800`, "https://avatars.exa\tmple.com/a.png", `${AVATAR}\n`],
  ...[` ${AVATAR}`, `${AVATAR}?${"x".repeat(2_048)}`, 7, null, [AVATAR]],
];

Deno.test(
  "queue-video names each field that is wrong, unknown ones too, and nothing is charged",
  nothingWritten(async (app, customer) => {
    for (const [field, expected] of WRONG_FIELDS) {
      assertEquals(refusal(await queue(app, customer, field)), expected, JSON.stringify(field));
    }
    for (const avatar_url of AVATARS) {
      const answer = await queue(app, customer, { avatar_url });
      const short = typeof avatar_url === "string" && avatar_url.length <= 2_048;
      const expected = short
        ? "422 unsupported_option avatar_url"
        : "400 invalid_request avatar_url";
      assertEquals(refusal(answer), expected, JSON.stringify(avatar_url));
    }
  }),
);

Deno.test("F28 a price in the body is refused by its name and changes nothing: the catalogue's is charged", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app, { gems: 100 });
    const before = await rowCounts(app);
    const headers = headersOf(app, customer);
    const to = (name: string, body: object) =>
      call(app, name, { headers, body: JSON.stringify(body) });
    const { prompt } = WORDS;
    for (const gem_cost of [0, 1, -10, 1_000]) {
      const priced: [Answer, string][] = [
        [await queue(app, customer, { gem_cost }), "gem_cost"],
        [await queue(app, customer, { gem_cost, quote: true }), "gem_cost"],
        [await to("queue-video", { kind: "prompt", prompt, gem_cost }), "gem_cost"],
        [await to("generate-video", { prompt, gem_cost }), "gem_cost"],
        [await to("generate-video", { prompt, config: { gem_cost } }), "config.gem_cost"],
        [await to("generate-clips", { project_id: crypto.randomUUID(), gem_cost }), "gem_cost"],
      ];
      for (const [{ status, body }, field] of priced) {
        assertEquals([status, fieldsOf(body["details"])], [400, [field]], JSON.stringify(body));
      }
    }
    assertEquals(await rowCounts(app), before);
    const { body } = await queue(app, customer);
    assertEquals(body["gem_cost"], 10);
    assertEquals(await balanceOf(app.db, { ...customer, userId: customer.id }), 90);
  });
});

/** Wishes that a model cannot fulfil or that the price does not cover, and what is offered instead. */
const WRONG_OPTIONS: readonly (readonly [Record<string, unknown>, string, unknown])[] = [
  [{ duration: 7 }, "duration", [5, 8]],
  [{ width: 123, height: 45 }, "width height", 1920],
  [{ width: 1280, height: 720 }, "width height", 1920],
  [{ width: 1920 }, "height", 1080],
  [{ model: "no:such@model" }, "model", "pixverse:1@5"],
  [{ fps: 1 }, "fps", [16, 24]],
  [{ seed: 2 ** 40 }, "seed", [{ min: 1, max: 2_147_483_647 }]],
  [{ model: "google:3@0" }, "model", "pixverse:1@5"],
  [{ model: "pixverse:1@5-fast" }, "model", "pixverse:1@5"],
];

Deno.test(
  "queue-video: what the model cannot do, or what costs more than the price covers, is 422 with what is allowed",
  nothingWritten(async (app, customer) => {
    for (const rhyme_id of [TWINKLE, DIDDLE]) {
      for (const [option, field, allowed] of WRONG_OPTIONS) {
        const answer = await queue(app, customer, { rhyme_id, ...option });
        const what = JSON.stringify([option, answer.body]);
        assertEquals(refusal(answer), `422 unsupported_option ${field}`, what);
        const [problem] = answer.body["details"] as { allowed: unknown[] }[];
        if (Array.isArray(allowed)) assertEquals(problem?.allowed, allowed, what);
        else assert(problem?.allowed.includes(allowed), what);
      }
    }
  }),
);

Deno.test(
  "an Idempotency-Key that is empty, too long or not printable ASCII is 400 by that name",
  nothingWritten(async (app, customer) => {
    for (const key of ["", "k".repeat(256), "k".repeat(300), "a\tb", "ä"]) {
      const answer = await queue(app, customer, { key });
      assertEquals(refusal(answer), "400 invalid_request Idempotency-Key", JSON.stringify(key));
    }
  }),
);

Deno.test(
  "cancel-video and video-status name what is wrong with the ids",
  nothingWritten(async (app, customer) => {
    const headers = headersOf(app, customer);
    const cancel = (body: unknown) =>
      call(app, "cancel-video", { headers, body: JSON.stringify(body) });
    const id = crypto.randomUUID();
    const field = "400 invalid_request video_id";
    for (const video_id of [undefined, null, "", "x", 7, [id], `${id}\u0000`, `${id}\ud800`]) {
      assertEquals(refusal(await cancel({ video_id })), field, JSON.stringify(video_id));
    }
    const refund = await cancel({ video_id: id, refund: 1000 });
    assertEquals(refusal(refund), "400 invalid_request refund");
    assertEquals(refusal(await cancel({ video_id: id })), "404 not_found video_id");

    const status = (query: string) => call(app, `video-status${query}`, { method: "GET", headers });
    const many = Array.from({ length: 101 }, () => `video_id=${crypto.randomUUID()}`).join("&");
    for (const query of ["?video_id=", `?${many}`]) {
      assertMatch(refusal(await status(query)), /^400 invalid_request video_id/, query);
    }
    assertEquals(refusal(await status("?rev=1")), "400 invalid_request rev");
    for (const bad of ["x", "%00", "%ff", "' or 1=1--", `${id}%00`]) {
      const answer = await status(`?video_id=${id}&video_id=${bad}`);
      assertEquals(refusal(answer), "400 invalid_request video_id.1", bad);
    }
    assertEquals(refusal(await status(`?video_id=${id}`)), "404 not_found video_id");
  }),
);

Deno.test(
  "the workers, maintain and health read no body: whatever it is changes nothing",
  nothingWritten(async (app) => {
    const headers = { apikey: app.cronKey };
    for (const name of ["submit-videos", "poll-videos", "store-videos", "maintain"]) {
      for (const body of ["not JSON", "\u0000", '{"stage":"x"}', "x".repeat(10_000_000)]) {
        const answer = await call(app, `${name}?wait=1&wait=x`, { headers, body });
        assertEquals([answer.status, answer.body["success"]], [200, true], name);
      }
    }
  }),
);
