/** The product's submit worker, with a provider that takes everything at once. */
import { openDatabase } from "../../../shared/db/database.ts";
import { openQueue } from "../../../shared/db/queue.ts";
import type { StartedSubmission } from "../../../shared/db/submit_calls.ts";
import type { VideoProvider, VideoTask } from "../../../shared/providers/provider.ts";
import { submitToProvider } from "../../../shared/stages/submit.ts";
import { quiet } from "../../support/sql.ts";
import { PROVIDER } from "./ours.ts";

/** A worker as it runs in an edge function: its own small pool, its own pg-boss. */
export interface Worker {
  /** Claims a batch, hands it over and writes it down. Answers how many it took. */
  submit(): Promise<number>;
  /** The attempts it handed over, in order. */
  readonly handedOver: readonly string[];
  /** Milliseconds from the beginning of each submit until its claim was committed. */
  readonly claims: readonly number[];
  close(): Promise<void>;
}

/** As many as one call to Runware takes. */
export const BATCH = 50;

/** Starts a worker. */
export async function startWorker(url: string, { batch = BATCH } = {}): Promise<Worker> {
  const database = openDatabase(url, { log: quiet });
  const queue = openQueue(database, quiet);
  await queue.ready();
  const handedOver: string[] = [];
  const claims: number[] = [];
  let begin = 0;
  const provider = instantProvider(batch, (ids) => {
    claims.push(performance.now() - begin);
    handedOver.push(...ids);
  });
  const node = crypto.randomUUID();
  const tools = { database, queue, node, log: quiet };
  return {
    handedOver,
    claims,
    async submit() {
      begin = performance.now();
      return (await submitToProvider(tools, provider, buildTask)).taken;
    },
    async close() {
      await queue.close();
      await database.close();
    },
  };
}

/** Takes everything that it is handed, and tells. */
export function instantProvider(
  batch: number,
  onSubmit: (ids: readonly string[]) => void,
): VideoProvider {
  const unused = () => Promise.reject(new Error("Only handing over is measured here"));
  return {
    name: PROVIDER,
    choosesTaskId: true,
    callsBack: true,
    submitBatch: batch,
    pollBatch: batch,
    mediaHosts: [],
    submit(tasks) {
      onSubmit(tasks.map(({ id }) => id));
      return Promise.resolve(
        tasks.map(({ id }) => ({ id, outcome: "accepted" as const, providerTaskId: id })),
      );
    },
    poll: unused,
    parseEvent: () => [],
    balanceUsd: unused,
  };
}

/** The task of an attempt, as short as it gets. */
export function buildTask(submission: StartedSubmission): Promise<VideoTask> {
  return Promise.resolve({
    id: submission.video_job_id,
    model: submission.model,
    prompt: submission.title,
    durationSeconds: 8,
    width: 1_920,
    height: 1_080,
  });
}
