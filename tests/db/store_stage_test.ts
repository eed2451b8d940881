import { assertEquals } from "@std/assert";
import { createServer, type RequestListener } from "node:http";
import type { Database } from "../../shared/db/database.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { failStoring, finishStoring } from "../../shared/db/store_calls.ts";
import type { TaskState, VideoProvider } from "../../shared/providers/provider.ts";
import { storeBatch } from "../../shared/stages/store.ts";
import type { WorkerTools } from "../../shared/stages/worker_tools.ts";
import {
  createObjectStore,
  type ObjectStore,
  StorageError,
} from "../../shared/storage/object_store.ts";
import { until } from "../support/until.ts";
import {
  accept,
  brokenInvariants,
  deliver,
  newFamily,
  passTime,
  queueVideo,
  value,
  videoOf,
} from "../support/fixtures.ts";
import { visit } from "../support/forgetting.ts";
import { quiet, withSql } from "../support/sql.ts";

const nowhere: ObjectStore = { put: () => Promise.reject(new Error("Nothing is to be copied")) };

/** Runware, which keeps its files at `mediaHosts`. */
function runware({ mediaHosts, poll = () => Promise.resolve([]) }: {
  mediaHosts: readonly string[];
  poll?: VideoProvider["poll"];
}): ReadonlyMap<string, VideoProvider> {
  const provider: VideoProvider = {
    name: "runware",
    choosesTaskId: true,
    callsBack: true,
    submitBatch: 20,
    pollBatch: 50,
    mediaHosts,
    submit: () => Promise.resolve([]),
    poll,
    parseEvent: () => [],
    balanceUsd: () => Promise.resolve(0),
  };
  return new Map([["runware", provider]]);
}

/** Gives `work` a worker's tools and a video that was delivered at this link. */
async function withDelivered(
  url: string | undefined,
  work: (tools: WorkerTools, videoId: string) => Promise<void>,
): Promise<void> {
  await withSql(async (db) => {
    const { video_id } = await queueVideo(db, await newFamily(db, { gems: 10 }));
    await deliver(db, await accept(db, video_id));
    if (url !== undefined) {
      await db.query("update public.video_jobs set result_url = $1", [url]);
    }
    const queue = openQueue(db, quiet);
    await queue.ready();
    try {
      await work({ database: db, queue, node: "w", log: quiet }, video_id);
    } finally {
      await queue.close();
    }
  });
}

/** A server on this machine, and its host. */
async function listening(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    host: `127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const jobState = (db: Database) =>
  value(db, "select state::text as value from pgboss.job where name = 'store-video'");

Deno.test("a delivered file waits where the provider's key is gone from this deployment, and is not given up for it", async () => {
  await withDelivered(undefined, async (tools, videoId) => {
    const { database: db } = tools;
    // More often than the queue gives a job out: its last try is no end either.
    for (let i = 0; i < 7; i++) {
      await storeBatch(tools, new Map(), nowhere);
      await passTime(db, "3 minutes");
    }
    await tools.queue.close();
    assertEquals((await videoOf(db, videoId)).status, "rendering");
    // Its job is a dead letter by now, and comes back.
    const [counts] = await db.query("select app.reconcile() ->> 'store_requeued' as value");
    assertEquals(counts, { value: "1" });
  });
});

Deno.test("Storage, or the provider's host, is down for longer than the queue tries: waited for until the deadline", async () => {
  const states = { storage: 503, inside: "", cdn: 200 };
  const cdn = await listening((_request, response) => {
    response.writeHead(states.cdn).end(states.cdn === 200 ? "\0\0\0\x0cftypisom" : "");
  });
  const storage = await listening((request, response) => {
    request.resume().on(
      "end",
      () => response.writeHead(states.storage).end(JSON.stringify({ statusCode: states.inside })),
    );
  });
  const store = createObjectStore({ url: `http://${storage.host}`, secretKey: "sb_secret_test" });
  for (const end of ["completed", "failed"] as const) {
    await withDelivered(`http://${cdn.host}/x.mp4`, async (tools, videoId) => {
      const { database: db } = tools;
      const tryOften = async () => {
        for (let i = 0; i < 7; i++) {
          await storeBatch(tools, runware({ mediaHosts: [cdn.host] }), store);
          assertEquals((await videoOf(db, videoId)).status, "rendering");
          await passTime(db, "2 minutes");
        }
        // By then its job was a dead letter, and comes back.
        await db.query("select app.reconcile()");
      };
      Object.assign(states, { storage: 503, cdn: 200 });
      await tryOften();
      // Hosted Storage's own way to say so.
      Object.assign(states, { storage: 400, inside: "503" });
      await tryOften();
      Object.assign(states, { storage: 200, cdn: 503 });
      if (end === "completed") {
        Object.assign(states, { storage: 200, cdn: 200 });
        await storeBatch(tools, runware({ mediaHosts: [cdn.host] }), store);
      } else {
        await tryOften();
        // The six hours, and the one more that a job has which nobody holds.
        await passTime(db, "7 hours");
        await db.query("select app.reconcile()");
      }
      assertEquals((await videoOf(db, videoId)).status, end);
      assertEquals(await brokenInvariants(db), []);
    });
  }
  await cdn.close();
  await storage.close();
});

Deno.test("a file that is not there, or is a page, is waited for as long as it may still appear", async () => {
  for (
    const [status, page] of [[404, ""], [403, ""], [200, "<!doctype html>"], [200, ""]] as const
  ) {
    const cdn = await listening((_request, response) => {
      response.writeHead(status).end(page);
    });
    await withDelivered(`http://${cdn.host}/x.mp4`, async (tools, videoId) => {
      const { database: db } = tools;
      const tries = async (times: number) => {
        for (let i = 0; i < times; i++) {
          assertEquals((await videoOf(db, videoId)).status, "rendering");
          await storeBatch(tools, runware({ mediaHosts: [cdn.host] }), nowhere);
          await passTime(db, "90 seconds");
        }
      };
      await tries(6);
      // Its job is a dead letter by now, and comes back.
      await db.query("select app.reconcile()");
      await tries(6);
      assertEquals((await videoOf(db, videoId)).status, "failed", `${status} ${page}`);
      assertEquals(await brokenInvariants(db), []);
    });
    await cdn.close();
  }
});

Deno.test("a file that was tried in vain is tried again after those that were not tried yet", async () => {
  const cdn = await listening((_request, response) => {
    response.writeHead(503).end();
  });
  await withDelivered(`http://${cdn.host}/x.mp4`, async (tools, videoId) => {
    const { database: db, queue } = tools;
    await storeBatch(tools, runware({ mediaHosts: [cdn.host] }), nowhere);
    const other = await accept(
      db,
      (await queueVideo(db, await newFamily(db, { gems: 10 }))).video_id,
    );
    await deliver(db, other);
    await passTime(db, "10 minutes");
    const [first] = await db.transaction((sql) => queue.fetch(sql, "store-video", 1));
    assertEquals(first?.id, other);
    assertEquals((await videoOf(db, videoId)).status, "rendering");
  });
  await cdn.close();
});

Deno.test("where Storage has the file already, or refuses it, the provider's download stops at once", async () => {
  const refusals = [
    [409, "Duplicate", "completed"],
    [409, "TransactionError", "retry"],
    [413, "Payload too large", "retry"],
  ] as const;
  for (const [status, error, state] of refusals) {
    const closed = Promise.withResolvers<void>();
    const cdn = await listening((_request, response) => {
      response.on("close", closed.resolve);
      // An MP4 that never ends.
      response.write("\0\0\0\x0cftypisom");
    });
    const refusal = JSON.stringify({ statusCode: String(status), error });
    const storage = await listening((_request, response) => response.writeHead(400).end(refusal));
    const real = createObjectStore({ url: `http://${storage.host}`, secretKey: "sb_secret_test" });
    const signals: AbortSignal[] = [];
    const store: ObjectStore = {
      put(path, body, options) {
        signals.push(options.signal);
        return real.put(path, body, options);
      },
    };
    await withDelivered(`http://${cdn.host}/x.mp4`, async (tools) => {
      await storeBatch(tools, runware({ mediaHosts: [cdn.host] }), store);
      assertEquals(signals.map(({ aborted }) => aborted), [true]);
      await closed.promise;
      assertEquals(await jobState(tools.database), state);
    });
    await cdn.close();
    await storage.close();
  }
});

Deno.test("a copy's time is up for the provider as well, should it be slow to name a fresh link", async () => {
  const answer = Promise.withResolvers<TaskState[]>();
  let asked = 0;
  const poll = () => {
    asked++;
    return answer.promise;
  };
  await withDelivered("https://elsewhere.example/x.mp4", async (tools, videoId) => {
    const storing = storeBatch(
      tools,
      runware({ mediaHosts: ["vm.runware.ai"], poll }),
      nowhere,
      undefined,
      { timeoutMs: 1 },
    );
    try {
      await until("the file is left to the next try", async () => {
        return await jobState(tools.database) === "retry" ? true : undefined;
      });
    } finally {
      answer.resolve([]);
      await storing;
    }
    assertEquals(asked, 1);
    assertEquals((await videoOf(tools.database, videoId)).status, "rendering");
  });
});

Deno.test("F25 what is kept of a file that could not be stored does not quote the query of its link", async () => {
  const cdn = await listening((_request, response) => response.end("\0\0\0\x0cftypisom"));
  const url = `http://${cdn.host}/x.mp4?token=canary`;
  const error = new StorageError(413, `Too large: ${url}`);
  const broken: ObjectStore = { put: () => Promise.reject(error) };
  await withDelivered(url, async (tools, videoId) => {
    const { database: db } = tools;
    for (let i = 0; i < 6; i++) {
      await storeBatch(tools, runware({ mediaHosts: [cdn.host] }), broken);
      await passTime(db, "3 minutes");
    }
    assertEquals((await videoOf(db, videoId)).status, "failed");
    const kept = await value(
      db,
      "select provider_error ->> 'message' as value from public.video_jobs where video_id = $1",
      [videoId],
    );
    assertEquals(kept, `Too large: http://${cdn.host}/x.mp4?[redacted]`);
  });
  await cdn.close();
});

Deno.test("a file that comes late, for a video that could not be stored, is looked for and goes", async () => {
  for (const late of [false, true]) {
    await withSql(async (db) => {
      const family = await newFamily(db, { gems: 10 });
      const { video_id } = await queueVideo(db, family);
      const job = await accept(db, video_id);
      await deliver(db, job);
      const path = `${family.userId}/videos/${video_id}.mp4`;
      await failStoring(db, job, "http_404", null);
      if (late) {
        await passTime(db, "11 minutes");
        await visit(db);
        assertEquals(await db.query("select prefix from app.objects_to_delete"), []);
        // A worker wakes up, and its file is still on its way.
        assertEquals(await finishStoring(db, job, path), false);
      }
      await visit(db);
      await db.query("insert into storage.objects (bucket_id, name) values ('videos', $1)", [path]);
      await passTime(db, "11 minutes");
      await visit(db);
      assertEquals(await db.query("select name from storage.objects"), [], `${late}`);
      assertEquals(await db.query("select prefix from app.objects_to_delete"), [], `${late}`);
    });
  }
});
