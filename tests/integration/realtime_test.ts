import { assert, assertEquals, assertMatch } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { z } from "zod";
import {
  type AppStack,
  BY_HAND,
  call,
  headersOf,
  newCustomer,
  over,
  queued,
  withApp,
} from "../support/app.ts";
import { until } from "../support/until.ts";
import { delivered, type HandStack, stored } from "../support/by_hand.ts";
import { FlutterStream, Newest, type Query, type Row, select } from "../support/flutter.ts";
import {
  answered,
  broadcast,
  hangUp,
  listenToOwn,
  socketUrl,
  subscribed,
  videosSince,
} from "../support/live.ts";
import { Screen, type VideoState, videoState } from "../support/screen.ts";
import { keysOf, signToken } from "../support/tokens.ts";
import { anonymousClient, signUp, type TestUser } from "../support/users.ts";

const STAGES = ["initializing", "analyzing", "generating", "rendering", "finalizing", "completed"];
const ALL = { event: "*", schema: "public", table: "videos" } as const;
const QUIET = { functions: false, cron: false } as const;

const seconds = () => Math.floor(Date.now() / 1000);

/** The stages in the order they were told, each once. */
const stagesOf = (states: readonly VideoState[]) =>
  states.map((state) => state.stage).filter((stage, at, all) => stage !== all[at - 1]);

const grows = (states: readonly VideoState[]) =>
  states.every((state, at) => at === 0 || state.rev > (states[at - 1]?.rev ?? 0));

Deno.test("an app that subscribes before it queues sees every stage in order, and no event of another user", async () => {
  await withApp({}, async (app) => {
    const [ann, bob] = [await newCustomer(app), await newCustomer(app)];
    const heard = { ann: [] as VideoState[], bob: [] as VideoState[] };
    const rows: VideoState[] = [];
    const note = (list: VideoState[]) => ({ payload }: { payload: unknown }) =>
      void list.push(videoState.parse(payload));
    await listenToOwn(ann, note(heard.ann));
    await listenToOwn(bob, note(heard.bob));
    // Without a filter: row-level security alone decides what arrives.
    await subscribed(
      ann.client.channel("rows").on(
        "postgres_changes",
        ALL,
        ({ new: row }) => rows.push(videoState.parse(row)),
      ),
    );

    const [mine, theirs] = [await queued(app, ann), await queued(app, bob)];
    assertEquals(await over(app, [mine, theirs]), ["completed", "completed"]);
    for (const list of [heard.ann, heard.bob, rows]) {
      await until(
        "the end is told",
        () => Promise.resolve(list.at(-1)?.status === "completed" || undefined),
      );
      assertEquals(stagesOf(list), STAGES);
      assert(grows(list), "rev grows with each message");
    }
    assertEquals(new Set(heard.ann.map((state) => state.user_id)), new Set([ann.id]));
    assertEquals(new Set(heard.bob.map((state) => state.user_id)), new Set([bob.id]));
    assertEquals(new Set(rows.map((state) => state.user_id)), new Set([ann.id]));
    await hangUp(ann.client, bob.client);
  });
});

Deno.test("F38 an app whose socket is cut comes back by itself, asks once for what it missed, and ends where the database is", async () => {
  await withApp(BY_HAND, async (app) => {
    const hand = byHand(app);
    const ann = await newCustomer(app);
    const screen = new Screen();
    const caughtUp = async () => screen.catchUp()(await videosSince(ann.client, screen.rev));
    const { statuses } = await listenToOwn(ann, ({ event, payload }) => {
      if (event === "video_deleted") screen.remove(z.string().parse(payload["id"]));
      else screen.show(payload);
    });
    const [first, second, third] = [
      await queued(app, ann),
      await queued(app, ann),
      await queued(app, ann),
    ];
    await until(
      "all three are told",
      () => Promise.resolve(screen.videos.length === 3 || undefined),
    );
    await caughtUp();

    assertEquals(app.realtime.dropConnections(), 1);
    // All of this happens while nobody is connected.
    await delivered(hand, first);
    await stored(hand);
    await cancel(app, ann, second);
    await ann.client.rpc("delete_videos", { p_video_ids: [third] });

    await until(
      "the client is back",
      () =>
        Promise.resolve(
          statuses.filter((status) => status === "SUBSCRIBED").length > 1 || undefined,
        ),
    );
    await caughtUp();
    const { data } = await ann.client.from("videos").select().order("id");
    assertEquals(screen.videos, z.array(videoState).parse(data));
    assertEquals(screen.at(first)?.status, "completed");
    assertEquals(screen.at(third), undefined);

    // And it hears again.
    await ann.client.rpc("set_favorite", { p_video_id: first, p_favorite: true });
    await until(
      "the favourite is told",
      () => Promise.resolve(screen.at(first)?.is_favorite || undefined),
    );
    await hangUp(ann.client);
  });
});

Deno.test("Flutter's .stream() shows the final row of a video and of its progress, and drops deleted ones", async () => {
  await withApp(BY_HAND, async (app) => {
    const ann = await newCustomer(app);
    const video = await queued(app, ann);
    const gone = await queued(app, ann);
    const [rows, progress] = [
      new FlutterStream(ann.client, videosOf(ann)),
      new FlutterStream(ann.client, progressOf(video)),
    ];
    for (const stream of [rows, progress]) {
      await stream.listen();
      await Promise.all([stream.selected.promise, stream.subscribed.promise]);
    }
    assertEquals(rows.rows.length, 2);

    await delivered(byHand(app), video);
    await stored(byHand(app));
    await ann.client.rpc("delete_videos", { p_video_ids: [gone] });
    const { data } = await ann.client.from("videos").select().eq("id", video).single();
    await until(
      "the last row is the database's",
      () => Promise.resolve(rows.rows[0]?.["rev"] === data.rev || undefined),
    );
    await until(
      "the deleted one is gone",
      () => Promise.resolve(rows.rows.length < 2 || undefined),
    );
    const [last = {}] = rows.rows;
    assertEquals(videoState.parse(last), videoState.parse(data));
    assertEquals(Object.keys(last).sort(), Object.keys(data).sort());
    await until(
      "the last entry is told",
      () => Promise.resolve(progress.rows[0]?.["stage"] === "completed" || undefined),
    );
    assertEquals(progress.rows.map((row) => row["percentage"]), [100]);
    await hangUp(ann.client);
  });
});

Deno.test("F38 what ends, begins or goes before Flutter's .stream() is subscribed is missed by it, and shown by the next look of gemreel.dart", async () => {
  await withApp(BY_HAND, async (app) => {
    const ann = await newCustomer(app);
    const [ended, gone] = [await queued(app, ann), await queued(app, ann)];
    const newest = new Newest(50);
    const joined = Promise.withResolvers<void>();
    const stream = new FlutterStream(ann.client, videosOf(ann), (rows) => newest.streamed(rows));
    await stream.listen({ join: joined.promise });
    await stream.selected.promise;
    await cancel(app, ann, ended);
    await ann.client.rpc("delete_videos", { p_video_ids: [gone] });
    const begun = await queued(app, ann);
    joined.resolve();
    await stream.subscribed.promise;
    assertEquals(idsOf(stream.rows), new Set([ended, gone]));
    assertEquals(stream.rows.map((row) => row["status"]), ["queued", "queued"]);

    newest.look()(await select(ann.client, videosOf(ann)));
    assertEquals(newest.videos.map((row) => [row.id, row["status"]]), [
      [begun, "queued"],
      [ended, "cancelled"],
    ]);
    // A change of another video brings the stream's list again, which still has what is gone.
    await ann.client.rpc("set_favorite", { p_video_id: begun, p_favorite: true });
    await until(
      "the favourite is told",
      () => Promise.resolve(newest.videos[0]?.["is_favorite"] || undefined),
    );
    assert(idsOf(stream.rows).has(gone));
    assertEquals(newest.videos.map((row) => [row.id, row["status"]]), [
      [begun, "queued"],
      [ended, "cancelled"],
    ]);
    await hangUp(ann.client);
  });
});

Deno.test("F38 a slow select takes Flutter's .stream() back in time, and the screen of gemreel.dart not", async () => {
  await withApp(BY_HAND, async (app) => {
    const ann = await newCustomer(app);
    const video = await queued(app, ann);
    const newest = new Newest(50);
    const arrives = Promise.withResolvers<void>();
    const stream = new FlutterStream(ann.client, videosOf(ann), (rows) => newest.streamed(rows));
    await stream.listen({ select: arrives.promise });
    await Promise.all([stream.read.promise, stream.subscribed.promise]);
    await cancel(app, ann, video);
    await until(
      "the end is told",
      () => Promise.resolve(newest.videos[0]?.["status"] === "cancelled" || undefined),
    );
    arrives.resolve();
    await stream.selected.promise;
    assertEquals(stream.rows.map((row) => row["status"]), ["queued"]);
    assertEquals(newest.videos.map((row) => row["status"]), ["cancelled"]);
    await hangUp(ann.client);
  });
});

Deno.test("F04 another user's private topic, and a visitor's, are refused with the reason", async () => {
  await withApp(QUIET, async (app) => {
    const [ann, bob] = [await signUp(app), await signUp(app)];
    await bob.client.realtime.setAuth();
    for (const client of [bob.client, anonymousClient(app)]) {
      const { statuses, errors } = await answered(
        client.channel(`user:${ann.id}`, { config: { private: true } }),
      );
      assertEquals(statuses, ["CHANNEL_ERROR"]);
      assertMatch(errors[0] ?? "", /^Unauthorized: You do not have permissions to read/);
      await hangUp(client);
    }
  });
});

Deno.test("a public channel of the same name hears nothing of the private one", async () => {
  await withApp(BY_HAND, async (app) => {
    const [ann, bob] = [await newCustomer(app), await signUp(app)];
    const overheard: unknown[] = [];
    const told: unknown[] = [];
    await listenToOwn(ann, (message) => told.push(message));
    const spy = bob.client.channel(`user:${ann.id}`)
      .on("broadcast", { event: "*" }, (message) => overheard.push(message));
    await subscribed(spy);
    await queued(app, ann);
    await until("the owner is told", () => Promise.resolve(told.length > 0 || undefined));
    // What comes later on the public one arrives, and nothing has before it.
    const shouter = anonymousClient(app);
    const channel = shouter.channel(`user:${ann.id}`);
    await subscribed(channel);
    await channel.send({ type: "broadcast", event: "barrier", payload: {} });
    await until("the spy hears that", () => Promise.resolve(overheard.length > 0 || undefined));
    assertEquals(overheard.map((message) => broadcast.parse(message).event), ["barrier"]);
    await hangUp(ann.client, bob.client, shouter);
  });
});

Deno.test("an expired or forged token is refused, and a channel ends with its token unless a newer one comes", async () => {
  await withApp(QUIET, async (app) => {
    const ann = await signUp(app);
    const keys = await keysOf(app);
    const claims = { sub: ann.id, role: "authenticated" };
    const join = async (token: string) => {
      const client = createClient(app.supabaseUrl, app.publishableKey, {
        accessToken: () => Promise.resolve(token),
      });
      await client.realtime.setAuth();
      const channel = client.channel(`user:${ann.id}`, { config: { private: true } });
      return { client, ...await answered(channel) };
    };
    const expired = await join(await signToken(keys, claims, seconds() - 5));
    assertEquals(expired.errors, ["InvalidJWTToken: Token has expired"]);
    const forged = await join(`${ann.token.slice(0, -6)}AAAAAA`);
    assertEquals(forged.errors, ["JwtSignatureError: Failed to validate JWT signature"]);

    const brief = await join(await signToken(keys, claims, seconds() + 2));
    assertEquals(brief.statuses, ["SUBSCRIBED"]);
    const renewed = await join(await signToken(keys, claims, seconds() + 2));
    await renewed.client.realtime.setAuth(await signToken(keys, claims, seconds() + 600));
    await until(
      "the token's time is over",
      () => Promise.resolve(brief.statuses.includes("CLOSED") || undefined),
    );
    assertEquals(brief.reports, ["Token has expired"]);
    assertEquals(renewed.statuses, ["SUBSCRIBED"]);
    await hangUp(expired.client, forged.client, brief.client, renewed.client);
  });
});

Deno.test("a wrong API key opens no socket", async () => {
  await withApp(QUIET, async (app) => {
    const answer = await fetch(socketUrl(app, "sb_publishable_wrong"));
    assertEquals(answer.status, 401);
    await answer.body?.cancel();
  });
});

/** BY_HAND stacks have functions and the sandbox. */
function byHand(app: AppStack): HandStack {
  const { functions, sandbox } = app;
  if (functions === null || sandbox === null) throw new Error("Functions or sandbox are missing");
  return { ...app, functions, sandbox };
}

async function cancel(app: AppStack, user: TestUser, videoId: string) {
  const answer = await call(app, "cancel-video", {
    headers: { ...headersOf(app, user), "content-type": "application/json" },
    body: JSON.stringify({ video_id: videoId }),
  });
  assertEquals(answer.status, 200);
}

/** What the streams of docs/mobile/gemreel.dart ask for. */
const videosOf = ({ id }: TestUser): Query => ({
  table: "videos",
  filter: { column: "user_id", value: id },
  order: "created_at",
  limit: 50,
});
const progressOf = (videoId: string): Query => ({
  table: "video_progress",
  filter: { column: "video_id", value: videoId },
  order: "id",
  limit: 1,
});

const idsOf = (rows: readonly Row[]) => new Set(rows.map((row) => row["id"]));
