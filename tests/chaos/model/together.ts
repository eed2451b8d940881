/** What must be committed as one: the word about an attempt, and the end of the queue job that asked for it. */
import { z } from "zod";
import type { Transcript } from "./ear.ts";
import { Unexplained } from "./state.ts";

const recorded = z.array(z.object({ video_job_id: z.string(), result: z.string() }));
const stored = z.tuple([z.string()]).rest(z.unknown());

/** Throws where a crash between two commits could have left a queue job behind that is done. */
export function checkTogether(transcript: Transcript): void {
  for (const heard of transcript) {
    if (heard.call !== "sql") continue;
    const done = doneBy(heard.name, heard.values, heard.rows);
    const completed = new Set(
      transcript.flatMap((other) =>
        other.call === "complete" && other.commit === heard.commit
          ? other.jobs.map((job) => job.id)
          : []
      ),
    );
    if (done.some((id) => !completed.has(id))) {
      throw new Unexplained(`${heard.name} was committed without completing its queue job`);
    }
  }
}

/** Attempts that the call settles for good, as far as the queue is concerned. */
function doneBy(name: string, values: readonly unknown[], rows: unknown): string[] {
  switch (name) {
    case "record_submissions":
      // A held attempt went back into the queue as another job.
      return recorded.parse(rows).filter(({ result }) => result !== "held")
        .map((row) => row.video_job_id);
    case "finish_storing":
    case "fail_storing":
      return [stored.parse(values)[0]];
    default:
      return [];
  }
}
