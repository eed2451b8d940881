import { assert, assertEquals, assertMatch } from "@std/assert";
import { z } from "zod";
import { PAUSE_MS } from "../../shared/status/watcher.ts";
import {
  type Answer,
  call,
  type Customer,
  headersOf,
  newCustomer,
  queued,
} from "../support/app.ts";
import { byHand, delivered, type HandStack, stored, submitted } from "../support/by_hand.ts";
import { eventsOf, type SeenEvent } from "../support/events.ts";
import { countQuestions } from "../support/questions.ts";
import { fieldsOf } from "../support/refusals.ts";

const videos = z.object({
  videos: z.array(z.looseObject({
    video_id: z.uuid(),
    rev: z.number(),
    status: z.string(),
    video_url: z.string().nullable(),
  })),
});

/** What video-status answers to this query. */
function ask(app: HandStack, customer: Customer, query: string): Promise<Answer> {
  return call(app, `video-status?${query}`, { method: "GET", headers: headersOf(app, customer) });
}

/** The only video of an answer. */
function one({ status, body }: Answer) {
  assertEquals(status, 200);
  const [video, ...others] = videos.parse(body).videos;
  assertEquals(others, []);
  if (video === undefined) throw new Error("No video in the answer");
  return video;
}

/** Opens a stream. */
function open(
  app: HandStack,
  customer: Customer,
  query: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${app.supabaseUrl}/functions/v1/video-status?${query}`, {
    headers: { ...headersOf(app, customer), accept: "text/event-stream", ...headers },
  });
}

/** Every event of a stream that ends by itself. */
async function all(response: Response): Promise<SeenEvent[]> {
  const events = [];
  for await (const event of eventsOf(response)) events.push(event);
  return events;
}

const stepOf = ({ event, data }: SeenEvent) =>
  event === "video" ? `${data["status"]} ${data["progress"]}` : `${event} ${data["reason"] ?? ""}`;

Deno.test("a long poll answers with the change, at once for one that was missed, and never later than asked", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const videoId = await queued(app, customer);
    const { rev } = one(await ask(app, customer, `video_id=${videoId}`));

    const unchanged = one(await ask(app, customer, `video_id=${videoId}&wait=1`));
    assertEquals([unchanged.rev, unchanged.status], [rev, "queued"]);

    const waiting = ask(app, customer, `video_id=${videoId}&rev=${rev}&wait=100`);
    await submitted(app, videoId);
    const moved = one(await waiting);
    assert(moved.rev > rev);
    assertEquals(moved.status, "processing");

    const missed = one(await ask(app, customer, `video_id=${videoId}&rev=${rev}&wait=100`));
    assert(missed.rev >= moved.rev);

    await delivered(app, videoId);
    await stored(app);
    const over = one(await ask(app, customer, `video_id=${videoId}&wait=100`));
    assertEquals(over.status, "completed");
    const file = await fetch(over.video_url ?? "");
    assertEquals(file.status, 200);
    await file.body?.cancel();
  });
});

Deno.test("a stream tells every step in order with a fresh link at the end, and ends with its videos", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const videoId = await queued(app, customer);
    const response = await open(app, customer, `video_id=${videoId}`);
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    const steps: string[] = [];
    const revs: number[] = [];
    let link = "";
    for await (const event of eventsOf(response)) {
      steps.push(stepOf(event));
      if (event.event !== "video") continue;
      assertEquals(event.id, String(event.data["rev"]));
      revs.push(Number(event.id));
      link = String(event.data["video_url"]);
      // Each step is made only when the one before was told, so that none is skipped.
      if (event.data["status"] === "queued") await submitted(app, videoId);
      if (event.data["status"] === "processing") await delivered(app, videoId);
      if (event.data["status"] === "rendering") await stored(app);
    }
    assertEquals(steps.at(0), "queued 0");
    assertEquals(steps.slice(-2), ["completed 100", "end over"]);
    assert(steps.includes("rendering 90"), steps.join(", "));
    assertEquals(revs, revs.toSorted((a, b) => a - b));
    const file = await fetch(link);
    assertEquals(file.headers.get("content-type"), "video/mp4");
    await file.body?.cancel();

    const again = await open(app, customer, `video_id=${videoId}`, {
      "last-event-id": String(revs.at(-1)),
    });
    assertEquals(again.status, 204);
    const late = await all(await open(app, customer, `video_id=${videoId}`));
    assertEquals(late.map(stepOf), ["completed 100", "end over"]);
  });
});

Deno.test("without ids it is about all that the caller has under way: at once, as a long poll, as a stream", async () => {
  await byHand({}, async (app) => {
    const [customer, stranger] = [await newCustomer(app), await newCustomer(app)];
    const idsOf = ({ status, body }: Answer) => {
      assertEquals(status, 200);
      return videos.parse(body).videos.map(({ video_id }) => video_id);
    };
    assertEquals(idsOf(await ask(app, customer, "wait=100")), []);
    const nothing = await open(app, customer, "");
    assertEquals([nothing.status, await nothing.text()], [204, ""]);

    const [older, over, newer] = [
      await queued(app, customer),
      await queued(app, customer),
      await queued(app, customer),
    ];
    await queued(app, stranger);
    const cancel = "select public.cancel_video($1, $2)";
    await app.db.query(cancel, [customer.id, over]);
    assertEquals(idsOf(await ask(app, customer, "")), [newer, older]);
    assertEquals(idsOf(await ask(app, customer, "wait=1")), [newer, older]);

    const stream = eventsOf(await open(app, customer, "", { "last-event-id": "1,2,3" }));
    const first = [await stream.next(), await stream.next()];
    assertEquals(first.map(({ value }) => value?.data["video_id"]), [newer, older]);
    const waiting = ask(app, customer, "wait=100");
    await app.db.query(cancel, [customer.id, older]);
    const { value: told } = await stream.next();
    assertEquals([told?.data["video_id"], told?.data["status"]], [older, "cancelled"]);
    await app.db.query(cancel, [customer.id, newer]);
    // Whenever it was begun, one of the two changes ends it long before its time.
    assert(idsOf(await waiting).length < 3);
    const rest = [];
    for await (const event of stream) rest.push(stepOf(event));
    assertEquals(rest.at(-1), "end over");
    assertEquals(idsOf(await ask(app, customer, "")), []);
  });
});

Deno.test("a stream that comes again with its last event's id is told only what it missed", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const ids = [await queued(app, customer), await queued(app, customer)];
    const query = ids.map((id) => `video_id=${id}`).join("&");
    let cursor = "";
    let seen = 0;
    for await (const { id } of eventsOf(await open(app, customer, query))) {
      cursor = id ?? "";
      if (++seen === 2) break;
    }
    assertMatch(cursor, /^\d+,\d+$/);
    await app.db.query("select public.cancel_video($1, $2)", [customer.id, ids[1]]);
    const stream = eventsOf(await open(app, customer, query, { "last-event-id": cursor }));
    const { value: first } = await stream.next();
    assertEquals(first?.data["video_id"], ids[1]);
    assertEquals(first?.data["status"], "cancelled");
    await app.db.query("delete from public.videos where id = $1", [ids[0]]);
    const rest = [];
    for await (const event of stream) rest.push(stepOf(event));
    assertEquals(rest, ["gone ", "end over"]);
  });
});

Deno.test("when the isolate ends a long poll is answered and a stream is told to come again", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const videoId = await queued(app, customer);
    const stream = eventsOf(await open(app, customer, `video_id=${videoId}`));
    await stream.next();
    const waiting = ask(app, customer, `video_id=${videoId}&wait=100`);
    await app.functions.restart();
    const { value: last } = await stream.next();
    assertEquals(last?.data, { reason: "reconnect" });
    assertEquals((await stream.next()).done, true);
    const answer = await waiting;
    assert(answer.status === 200 || answer.status === 503, `${answer.status}`);
  });
});

Deno.test("videos of others are never told, neither at once nor later", async () => {
  await byHand({}, async (app) => {
    const [mine, theirs] = [await newCustomer(app), await newCustomer(app)];
    const [own, others] = [await queued(app, mine), await queued(app, theirs)];
    for (const query of [`video_id=${others}`, `video_id=${others}&wait=100&rev=1`]) {
      assertEquals((await ask(app, mine, query)).status, 404);
    }
    const refused = await open(app, mine, `video_id=${others}`);
    assertEquals(refused.status, 404);
    await refused.body?.cancel();
    const told: unknown[] = [];
    for await (
      const event of eventsOf(await open(app, mine, `video_id=${others}&video_id=${own}`))
    ) {
      if (event.event === "video") told.push(event.data["video_id"]);
      if (told.length > 1) continue;
      await app.db.query("select public.cancel_video($1, $2)", [theirs.id, others]);
      await app.db.query("select public.cancel_video($1, $2)", [mine.id, own]);
    }
    assertEquals(new Set(told), new Set([own]));
  });
});

Deno.test("a hundred who wait cost no more questions than one: one for each pause of the watcher", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app, { gems: 300 });
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(await queued(app, customer));
    const questions = await countQuestions(app.db);
    const began = Date.now();
    const streams = await Promise.all(
      Array.from({ length: 50 }, (_, i) => open(app, customer, `video_id=${ids[i % 5]}`)),
    );
    const polls = Array.from(
      { length: 50 },
      (_, i) => ask(app, customer, `video_id=${ids[i % 5]}&wait=100`),
    );
    const told = streams.map(all);
    for (const id of ids) {
      await app.db.query("select public.cancel_video($1, $2)", [customer.id, id]);
    }
    for (const events of await Promise.all(told)) {
      assertEquals(events.map(stepOf).slice(-2), ["cancelled 0", "end over"]);
    }
    for (const answer of await Promise.all(polls)) assertEquals(one(answer).status, "cancelled");
    // What one alone may cost in this time, however slow the machine is.
    const [asked, most] = [await questions.changes(), (Date.now() - began) / PAUSE_MS + 1];
    assert(asked > 0 && asked <= most, `${asked} questions, where one client makes ${most}`);
  });
});

Deno.test("wait, rev and Accept that make no sense are refused with the field's name", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app);
    const id = await queued(app, customer);
    const refused: Record<string, string> = {
      "wait=-1": "wait",
      "wait=": "wait",
      "wait=1.5": "wait",
      "wait=121": "wait",
      "wait=soon": "wait",
      "rev=": "rev",
      "rev=-1": "rev",
      "rev=x": "rev",
      "rev=1,2": "rev",
      [`rev=${"9".repeat(400)}`]: "rev",
    };
    for (const [query, field] of Object.entries(refused)) {
      const { status, body } = await ask(app, customer, `video_id=${id}&${query}`);
      assertEquals([status, ...fieldsOf(body["details"])], [400, field], query);
    }
    for (
      const [query, headers] of [
        [`video_id=${id}&wait=5`, {}],
        [`video_id=${id}`, { "last-event-id": "1,2" }],
        ["rev=1", {}],
      ] as const
    ) {
      const response = await open(app, customer, query, headers);
      assertEquals(response.status, 400, query);
      await response.body?.cancel();
    }
  });
});
