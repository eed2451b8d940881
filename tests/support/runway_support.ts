/** A stand-in that answers a Runway call with whatever a test has recorded. */
import type { VideoProvider, VideoTask } from "../../shared/providers/provider.ts";
import type { AccountConfig } from "../../shared/providers/http.ts";
import { createRunwayProvider } from "../../shared/providers/runway/adapter.ts";
import { type Answer, type Received, withRecorded } from "./recorded.ts";

export const RUNWAY_KEY = "key_0123456789abcdef";
export const JOB = "aaaaaaaa-1111-4111-8111-111111111111";
export const TASK = "22222222-2222-4222-8222-222222222222";

/** Runs the work against a server on this machine that answers each call by `answer`. */
export async function withRunway(
  answer: Answer,
  work: (provider: VideoProvider, received: readonly Received[]) => Promise<void>,
  config: Partial<AccountConfig> = {},
): Promise<void> {
  await withRecorded(
    answer,
    (url, received) => work(createRunwayProvider({ apiKey: RUNWAY_KEY, url, ...config }), received),
  );
}

/** A task from words alone. */
export function runwayTask(more: Partial<VideoTask> = {}): VideoTask {
  return {
    id: JOB,
    model: "gen4.5",
    prompt: "A duck walks into a pond.",
    durationSeconds: 5,
    width: 1280,
    height: 720,
    ...more,
  };
}
