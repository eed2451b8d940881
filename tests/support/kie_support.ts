/** A stand-in that answers a KIE call with whatever a test has recorded. */
import type { SubmitOutcome, VideoProvider, VideoTask } from "../../shared/providers/provider.ts";
import { createKieProvider, type KieConfig } from "../../shared/providers/kie/adapter.ts";
import { type Answer, type Received, type Recorded, withRecorded } from "./recorded.ts";

export const KIE_KEY = "kie_0123456789abcdef";
export const JOB = "aaaaaaaa-1111-4111-8111-111111111111";
export const TASK = "e6f55ca53acc915af3c792cf9fde4253";

/** Runs the work against a server on this machine that answers each call by `answer`. */
export async function withKie(
  answer: Answer,
  work: (provider: VideoProvider, received: readonly Received[]) => Promise<void>,
  config: Partial<KieConfig> = {},
): Promise<void> {
  await withRecorded(
    answer,
    (url, received) => work(createKieProvider({ apiKey: KIE_KEY, url, ...config }), received),
  );
}

/** A task from words alone. */
export function kieTask(more: Partial<VideoTask> = {}): VideoTask {
  return {
    id: JOB,
    model: "kling-2.6",
    prompt: "A duck walks into a pond.",
    durationSeconds: 5,
    width: 1920,
    height: 1080,
    ...more,
  };
}

/** What becomes of one task when its create is answered like this. */
export async function submitted(answer: Recorded): Promise<SubmitOutcome> {
  let outcomes: SubmitOutcome[] = [];
  await withKie(answer, async (provider) => {
    outcomes = await provider.submit([kieTask()]);
  });
  const [outcome] = outcomes;
  if (outcome === undefined) throw new Error("A task has no outcome");
  return outcome;
}
