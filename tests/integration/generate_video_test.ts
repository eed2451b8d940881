/** Videos from words at Runway, in the JSON that apps of that kind speak. */
import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import type { RunwaySandbox } from "../../local/sandbox/runway.ts";
import { errorTypes } from "../../shared/domain/error_types.ts";
import { taskAnswer } from "../../shared/doors/generate_video.ts";
import { waitedAnswer } from "../../shared/doors/wait_video.ts";
import {
  type Answer,
  call,
  type Customer,
  headersOf,
  newCustomer,
  queued,
  work,
} from "../support/app.ts";
import { byHand, functionsEnv, type HandStack, polled, stored } from "../support/by_hand.ts";
import { balanceOf, entriesOf, newestJob, passTime, value } from "../support/fixtures.ts";
import { fieldsOf } from "../support/refusals.ts";

interface Scene {
  readonly app: HandStack;
  readonly runway: RunwaySandbox;
  readonly customer: Customer;
}

function withRunway(work: (scene: Scene) => Promise<void>) {
  return byHand({ runway: { knobs: { manual: true, pendingMs: 0 } } }, async (app) => {
    const { sandbox } = app.providers.runway;
    if (sandbox === null) throw new Error("The Runway sandbox is missing");
    await work({ app, runway: sandbox, customer: await newCustomer(app) });
  });
}

const WISH = {
  prompt: "A fox runs over a hill",
  contentDraftId: "draft-7",
  config: {
    ...{ resolution: "1080p", duration: 8, style: "Watercolour" },
    ...{ codec: "h264", promptingStrategy: "precise" },
  },
};

function create({ app, customer }: Scene, body: object = WISH, headers = {}): Promise<Answer> {
  return call(app, "generate-video", {
    headers: { ...headersOf(app, customer), ...headers },
    body: JSON.stringify(body),
  });
}

function check({ app, customer }: Scene, taskId: string): Promise<Answer> {
  const headers = headersOf(app, customer);
  return call(app, `generate-video?taskId=${taskId}`, { method: "GET", headers });
}

function wait({ app, customer }: Scene, body: object): Promise<Answer> {
  return call(app, "wait-video", { headers: headersOf(app, customer), body: JSON.stringify(body) });
}

function taskOf({ body }: Answer) {
  return z.strictObject(taskAnswer.shape).parse(body).videoTask;
}

/** Hands the task over. Answers Runway's id of it. */
async function started({ app }: Scene, taskId: string): Promise<string> {
  await work(app, "submit-videos");
  const { id } = await newestJob(app.db, taskId);
  const statement = "select provider_task_id as value from public.video_jobs where id = $1";
  return String(await value(app.db, statement, [id]));
}

const balance = ({ app, customer }: Scene) =>
  balanceOf(app.db, { userId: customer.id, childId: customer.childId });

Deno.test("a task is created, checked and waited for, and its file is where reels are kept", () =>
  withRunway(async (scene) => {
    const { app, runway, customer } = scene;
    const answer = await create(scene, WISH, { "idempotency-key": "tap" });
    assertEquals(answer.status, 201, JSON.stringify(answer.body));
    const task = taskOf(answer);
    const { id, message, estimated_time, ...first } = task;
    assert(message.length > 0);
    // Of a model that takes 75 s; the database may have begun in the second before.
    assert([75, 76].includes(estimated_time), String(estimated_time));
    assertEquals(first, {
      ...{ task_id: id, contentDraftId: "draft-7", status: "queued", progress: 0 },
      ...{ actual_time: null, video_url: null, storage_path: null },
    });
    assertEquals(taskOf(await create(scene, WISH, { "idempotency-key": "tap" })), task);
    const other = await create(scene, { prompt: "A bear" }, { "idempotency-key": "tap" });
    assertEquals([other.status, other.body["error_type"]], [409, "UNKNOWN"]);

    const atRunway = await started(scene, id);
    const sent = runway.control.state().tasks.find((one) => one.id === atRunway);
    assertEquals(sent?.model, "veo3.1_fast");
    assertEquals(taskOf(await check(scene, id)).status, "processing");
    const waiting = wait(scene, { taskId: id, maxAttempts: 60 });
    runway.control.finish(atRunway);
    await polled(app);
    await stored(app);
    const { timed_out, error_type, videoTask } = waitedAnswer.parse((await waiting).body);
    assertEquals([timed_out, error_type, videoTask.status], [false, undefined, "completed"]);
    assertEquals(videoTask.storage_path, `${customer.id}/videos/reels/${id}.mp4`);
    assert((videoTask.actual_time ?? 0) > 0);
    const checked = taskOf(await check(scene, id));
    assertEquals({ ...checked, video_url: null }, { ...videoTask, video_url: null });
    const file = await fetch(checked.video_url ?? "");
    assertEquals([file.status, file.headers.get("content-type")], [200, "video/mp4"]);
    await file.body?.cancel();
    assertEquals(await entriesOf(app.db, id), [{ kind: "charge", amount: -11 }]);

    // The owner's app may read it from Storage, and deleting takes the file along.
    const files = customer.client.storage.from("videos");
    assertEquals((await files.download(String(videoTask.storage_path))).error, null);
    assertEquals(
      (await customer.client.rpc("delete_videos", { p_video_ids: [id] })).error,
      null,
    );
    await passTime(app.db, "20 minutes");
    await app.db.query(
      "update app.objects_to_delete set try_at = now(), written_until = now() - interval '1 hour'",
    );
    await work(app, "maintain");
    const left = "select count(*)::int as value from storage.objects where bucket_id = 'videos'";
    assertEquals(await value(app.db, left), 0);
  }));

Deno.test("what Runway cannot do is 422 with field and allowed values, before any charge", () =>
  withRunway(async (scene) => {
    const { prompt } = WISH;
    const refusals: [object, string, unknown][] = [
      [{ duration: 30 }, "config.duration", [{ min: 2, max: 10, step: 1 }]],
      [{ codec: "h265" }, "config.codec", ["h264"]],
      [{ codec: "av1" }, "config.codec", ["h264"]],
      [{ bitrate: 5000 }, "config.bitrate", []],
    ];
    for (const [config, field, allowed] of refusals) {
      const { status, body } = await create(scene, { prompt, config });
      assertEquals([status, body["code"], body["error_type"]], [
        ...[422, "unsupported_option"],
        "INVALID_PROMPT",
      ]);
      const [problem] = z.array(z.looseObject({})).parse(body["details"]);
      assertEquals([problem?.["field"], problem?.["allowed"]], [field, allowed]);
    }
    const all = await create(scene, {
      prompt,
      config: { duration: 30, codec: "h265", bitrate: 5000 },
    });
    assertEquals(fieldsOf(all.body["details"]).sort(), [
      ...["config.bitrate", "config.codec"],
      "config.duration",
    ]);
    const bodies: [object, string[]][] = [
      [{}, ["prompt"]],
      [{ prompt, config: { resolution: "4K" } }, ["config.resolution"]],
      [{ prompt, config: { codec: 1 } }, ["config.codec"]],
      [{ prompt, config: { promptingStrategy: "wild" } }, ["config.promptingStrategy"]],
      [{ prompt, config: { seed: 1 } }, ["config.seed"]],
      [{ prompt, gem_cost: 0 }, ["gem_cost"]],
    ];
    for (const [body, fields] of bodies) {
      const refused = await create(scene, body);
      assertEquals([refused.status, fieldsOf(refused.body["details"])], [400, fields]);
      assertEquals(refused.body["error_type"], "INVALID_PROMPT");
    }
    const words = await create(scene, { prompt: "A bloody fight with guns" });
    assertEquals([words.status, words.body["error_type"]], [422, "INVALID_PROMPT"]);
    assertEquals([await balance(scene), scene.runway.control.state().counts.creates], [100, 0]);
  }));

Deno.test("errors are in our usual form and tell their class: sign-in, pace, gems, tasks of others", () =>
  withRunway(async (scene) => {
    const { app } = scene;
    const errorOf = ({ status, body }: Answer) => {
      const { success, error, code, error_type, request_id } = body;
      assertEquals([success, typeof error, typeof request_id], [false, "string", "string"]);
      assert(errorTypes.some((type) => type === error_type));
      return [status, code, error_type];
    };
    const headers = { apikey: app.publishableKey };
    for (const name of ["generate-video", "wait-video"]) {
      const anyone = await call(app, name, { headers, body: "{}" });
      assertEquals(errorOf(anyone), [401, "unauthorized", "AUTHENTICATION_FAILED"]);
    }
    const poor = { ...scene, customer: await newCustomer(app, { gems: 0 }) };
    assertEquals(errorOf(await create(poor)), [402, "insufficient_gems", "UNKNOWN"]);
    await app.db.query("update app.settings set queue_limit = 1");
    const { id } = taskOf(await create(scene));
    assertEquals(errorOf(await create(scene)), [429, "queue_limit", "RATE_LIMIT_EXCEEDED"]);
    assertEquals(errorOf(await check(poor, id)), [404, "not_found", "UNKNOWN"]);
    assertEquals(errorOf(await wait(poor, { taskId: id })), [404, "not_found", "UNKNOWN"]);
    assertEquals(errorOf(await check(scene, "x")), [400, "invalid_request", "INVALID_PROMPT"]);
    await app.db.query("update app.settings set queue_limit = 20");
    const rhyme = await queued(app, scene.customer);
    assertEquals(errorOf(await check(scene, rhyme)), [404, "not_found", "UNKNOWN"]);
  }));

Deno.test("a wait ends when its looks are used up, and tells that the video goes on", () =>
  withRunway(async (scene) => {
    const { id } = taskOf(await create(scene));
    const options = { initialDelay: 100, maxDelay: 200, maxAttempts: 3, backoffMultiplier: 2 };
    const { timed_out, error_type, videoTask } = waitedAnswer.parse(
      (await wait(scene, { taskId: id, ...options })).body,
    );
    assertEquals([timed_out, error_type], [true, "TIMEOUT"]);
    assertEquals([videoTask.status, videoTask.error_type], ["queued", undefined]);
    const refused = await wait(scene, { taskId: id, backoffMultiplier: 0.5 });
    assertEquals([refused.status, fieldsOf(refused.body["details"])], [400, ["backoffMultiplier"]]);
  }));

Deno.test("a task that fails tells why and which class it is, costs nothing, and what it was billed is kept", () =>
  withRunway(async (scene) => {
    const { app, runway } = scene;
    const { id } = taskOf(await create(scene));
    runway.control.fail(await started(scene, id), "SAFETY.INPUT.TEXT");
    await polled(app);
    const { status, error, error_type, video_url } = taskOf(await check(scene, id));
    assertEquals([status, error_type, video_url], ["failed", "INVALID_PROMPT", null]);
    assert((error ?? "").includes("could not be used"));
    assertEquals(await balance(scene), 100);
    const { timed_out } = waitedAnswer.parse((await wait(scene, { taskId: id })).body);
    assertEquals(timed_out, false);
    const { id: job } = await newestJob(app.db, id);
    const billed = "select cost_usd::float8 as value from public.video_jobs where id = $1";
    const task = runway.control.state().tasks.at(-1);
    assertEquals(await value(app.db, billed, [job]), (task?.cost ?? 0) / 100);
  }));

Deno.test("a file that cannot be fetched is DOWNLOAD_FAILED, one that cannot be stored UPLOAD_FAILED", () =>
  withRunway(async (scene) => {
    const { app } = scene;
    for (
      const [code, type] of [["gone", "DOWNLOAD_FAILED"], ["copy_failed", "UPLOAD_FAILED"]] as const
    ) {
      const { id } = taskOf(await create(scene));
      scene.runway.control.finish(await started(scene, id));
      await polled(app);
      const { id: job } = await newestJob(app.db, id);
      await app.db.query("select app.fail_storing($1, $2, null)", [job, code]);
      assertEquals(taskOf(await check(scene, id)).error_type, type);
    }
    await app.db.query("delete from pgboss.job where name = 'store-video'");
  }));

Deno.test("where Runway has no key, nothing is charged", () =>
  withRunway(async (scene) => {
    const { RUNWAY_API_KEY: _, ...env } = await functionsEnv(scene.app);
    await scene.app.functions.restart(env);
    const { status, body } = await create(scene);
    assertEquals([status, body["code"]], [503, "provider_unavailable"]);
    assertEquals(await balance(scene), 100);
  }));
