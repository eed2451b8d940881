/**
 * Whom the poller believes: the provider, and a webhook only where the provider has nothing (more) to
 * say and the webhook's word can be acted on.
 */
import { z } from "zod";
import type { TaskState } from "../../../shared/providers/provider.ts";
import type { Transcript } from "./ear.ts";
import { NOT_FOUND } from "./provider.ts";
import { expect, type ProviderKind, PROVIDERS, RULES } from "./state.ts";
import { statesIn } from "./webhooks.ts";
import { UNKNOWN_OUTCOME } from "./work_rules.ts";

const dueRow = z.object({
  video_job_id: z.string(),
  provider_task_id: z.string(),
  seconds_running: z.coerce.number(),
  missing_seconds: z.coerce.number().nullable(),
  overdue: z.boolean(),
});
type Due = z.infer<typeof dueRow>;
const eventRow = z.object({ video_job_id: z.string(), payload: z.unknown() });
const settled = z.tuple([
  z.string().transform((text): unknown => JSON.parse(text)).pipe(z.array(z.object({
    video_job_id: z.string(),
    state: z.string(),
    code: z.string().optional(),
    video_url: z.string().optional(),
  }))),
  z.string(),
]);

/** Who serves files and who chooses ids. */
interface World {
  readonly mediaHost: string;
  readonly provider: ProviderKind;
}

/** Throws where a worker settled something else than what it was told comes to. */
export function checkWords(transcript: Transcript, world: World): void {
  const told = transcript.find((heard) => heard.call === "told");
  if (told === undefined) return;
  const events = z.array(eventRow).parse(
    transcript.flatMap((heard) => heard.call === "recalled" ? heard.rows : []),
  );
  const due = new Map(z.array(dueRow).parse(told.due).map((one) => [one.video_job_id, one]));
  for (const heard of transcript) {
    if (heard.call !== "sql" || heard.name !== "settle_video_jobs") continue;
    for (const { video_job_id, state, code, video_url } of settled.parse(heard.values)[0]) {
      const one = due.get(video_job_id);
      if (one === undefined) continue;
      const said = told.states.find(({ id }) => id === one.provider_task_id);
      const words = events.filter((event) => event.video_job_id === video_job_id)
        .flatMap(({ payload }) => statesIn(payload));
      expect("Settled", [state, code, video_url], meaningOf(one, said, words, world));
    }
  }
}

/** What is to be settled: state, code, link. `words` of webhooks, the newest first. */
function meaningOf(
  due: Due,
  said: TaskState | undefined,
  words: readonly TaskState[],
  { mediaHost, provider }: World,
): [string, string | undefined, string | undefined] {
  const { choosesTaskId } = PROVIDERS[provider];
  const isYoung = due.seconds_running < RULES.missingGrace;
  const isForgotten = said?.state === "missing" && !isYoung;
  const isOver = said?.state === "succeeded" || said?.state === "failed";
  const word = !isOver && (due.overdue || isForgotten)
    ? words.find((one) =>
      one.id === due.provider_task_id && (one.state === "failed" ||
        (one.state === "succeeded" && one.videoUrl.startsWith(`http://${mediaHost}/`)))
    )
    : undefined;
  const state = word ?? said;
  switch (state?.state) {
    case "succeeded":
      return ["succeeded", undefined, state.videoUrl];
    case "failed":
      return ["failed", state.error.code, undefined];
    case "missing":
      if (isYoung || (due.missing_seconds ?? 0) < RULES.missingSeconds) {
        return ["missing", undefined, undefined];
      }
      // Taken once, and so perhaps paid for: under an id of ours it can be asked for again.
      return ["failed", choosesTaskId ? NOT_FOUND : UNKNOWN_OUTCOME, undefined];
    case "processing":
      return ["processing", undefined, undefined];
    case "unanswered":
    case undefined:
      return ["unanswered", undefined, undefined];
  }
}
