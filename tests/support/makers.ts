/** Videos from words, and three providers that could make them. */
import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { settleVideoJobs } from "../../shared/db/poll_calls.ts";
import {
  recordSubmissions,
  startSubmissions,
  type SubmissionRecord,
} from "../../shared/db/submit_calls.ts";
import { brokenInvariants, type Family, newestJob, newFamily, value } from "./fixtures.ts";
import { withSql } from "./sql.ts";

export const PROVIDERS = ["runware", "second", "third"];
/** The words of a provider that has no room. */
export const busy = {
  code: "rateLimitExceeded",
  kind: "rate",
  people_code: "provider_busy",
  people_message: "Busy.",
  provider_error: { message: "slow down" },
};

/** Two more providers, and a price list for all. */
export async function withProviders(work: (db: Database, family: Family) => Promise<void>) {
  await withSql(async (db) => {
    await db.query(
      "insert into app.providers (name, max_in_flight) values ('second', 10), ('third', 10)",
    );
    await db.query(
      `insert into app.prices (provider, model, resolution, gems_per_second)
       select p.name, 'fox', '720p', 1.3 from app.providers p`,
    );
    await work(db, await newFamily(db, { gems: 100 }));
    assertEquals(await brokenInvariants(db), []);
  });
}

/** What `queuePrompt` asks for; the others of `chain` can make it too. */
export const request = {
  kind: "prompt",
  prompt: "A fox on a hill",
  provider: "runware",
  model: "fox",
  options: { duration: 5, resolution: "720p" },
};
const chain = [{ provider: "second", model: "fox" }, { provider: "third", model: "fox" }];

/** Answers the video's id. */
export async function queuePrompt(
  db: Database,
  { userId }: Family,
  more: object = {},
): Promise<string> {
  const asked = JSON.stringify({ ...request, fallbacks: chain, ...more });
  const id = await value(
    db,
    "select public.queue_video($1, $2, 'hash', 60) ->> 'video_id' as value",
    [userId, asked],
  );
  return String(id);
}

type Outcome = "accepted" | "held" | "unknown" | "failed";

/** Hands the newest attempt over, to this end. */
export async function handOver(db: Database, videoId: string, outcome: Outcome, more: object = {}) {
  const { id } = await newestJob(db, videoId);
  await startSubmissions(db, [id], "w");
  const record = outcome === "accepted"
    ? { video_job_id: id, outcome, provider_task_id: id }
    : { video_job_id: id, outcome, ...busy, delay_seconds: 5, ...more };
  const [change] = await recordSubmissions(db, [record satisfies SubmissionRecord], "w");
  return change?.result;
}

/** The newest attempt, which was accepted, fails like this. */
export async function fail(db: Database, videoId: string, kind: string, more: object = {}) {
  const { id: video_job_id } = await newestJob(db, videoId);
  const failure = { ...busy, kind, code: "told", retry_seconds: 5, ...more };
  const [change] = await settleVideoJobs(db, [{ video_job_id, state: "failed", ...failure }]);
  return change?.result;
}

/** Attempt, provider, model and status of each, the first one first. */
export async function attemptsOf(db: Database, videoId: string) {
  const rows = await db.query(
    "select attempt, provider, model, status from public.video_jobs where video_id = $1 order by attempt",
    [videoId],
  );
  return rows.map(({ attempt, provider, model, status }) =>
    [attempt, provider, model, status].join(" ")
  );
}

/** closed, open, half_open or paused. */
export const breakerOf = (db: Database, name = "runware") =>
  value(db, "select app.breaker_state(p) as value from app.providers p where p.name = $1", [name]);
