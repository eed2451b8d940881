/** Counts what happened in all stories, so that a reader sees that the rare things did happen. */
import { z } from "zod";
import type { Heard } from "./ear.ts";

/** How often each thing happened. */
export type Tally = Map<string, number>;

/** Without these the stories would prove little. */
export const MUST_HAPPEN = [
  "account deleted",
  "answer lost",
  "attempt over: claims used up",
  "attempt over: deadline",
  "attempt over: missing",
  "attempt over: unknown outcome",
  "cancel_video GM006",
  "cancel_video refunded",
  "fail_storing true",
  "finish_storing true",
  "grant_gems replayed",
  "queue_video GM001",
  "queue_video GM002",
  "queue_video GM004",
  "queue_video replayed",
  "queue_videos GM001",
  "queue_videos busy",
  "queue_videos queued",
  "reconcile never_started",
  "reconcile requeued",
  "reconcile store_given_up",
  "reconcile store_requeued",
  "reconcile timed_out",
  "record_submissions accepted",
  "record_submissions failed",
  "record_submissions held",
  "record_submissions retried",
  "settle_video_jobs failed",
  "settle_video_jobs rendering",
  "settle_video_jobs retried",
  "stopped and passed",
  "stopped and waited for",
  "store-video handed back",
  "webhook rang",
  "worker crashed",
  "worker crashed with the file stored",
  "worker crashed with the tasks sold",
];

const refused = z.object({ error: z.string() }).transform(({ error }) => [error]);
const replayed = z.object({ replayed: z.literal(true) }).transform(() => ["replayed"]);
const refunded = z.object({ gems_refunded: z.number().positive() }).transform(() => ["refunded"]);
const counts = z.record(z.string(), z.number()).transform((record) =>
  Object.entries(record).filter(([, count]) => count > 0).map(([name]) => name)
);
const together = z.array(z.union([
  z.object({ video: z.object({}) }).transform(() => "queued"),
  z.object({ error: z.object({ code: z.string() }) }).transform(({ error }) => error.code),
  z.object({ busy: z.literal(true) }).transform(() => "busy"),
]));
const answer = z.union([
  refused,
  together,
  replayed,
  refunded,
  counts,
  z.boolean().transform((is) => [`${is}`]),
]);

/** Adds one. */
export function count(tally: Tally, name: string, by = 1): void {
  tally.set(name, (tally.get(name) ?? 0) + by);
}

/** Adds what was heard. */
export function countHeard(tally: Tally, heard: Heard): void {
  if (heard.call === "fetch") count(tally, `${heard.queue} given out`, heard.jobs.length);
  if (heard.call === "handBack") count(tally, `${heard.queue} handed back`, heard.jobs.length);
  if (heard.call === "sql") {
    for (const row of heard.rows) {
      for (const outcome of outcomesOf(row)) count(tally, `${heard.name} ${outcome}`.trim());
    }
  }
}

function outcomesOf(row: Record<string, unknown>): string[] {
  if ("result" in row) return [String(row["result"])];
  if ("started" in row) return [row["started"] === true ? "started" : "busy"];
  const parsed = answer.safeParse(row["value"]);
  return parsed.success ? parsed.data : [""];
}

/** A few lines, sorted by name. */
export function tellTally(tally: Tally): string {
  const entries = [...tally].toSorted(([a], [b]) => a < b ? -1 : 1);
  return entries.map(([name, times]) => `${name} ${times}`).join(", ");
}
