/** KIE.AI behind the port. */
import { inParallel } from "../../in_parallel.ts";
import { type AccountConfig, Caller } from "../http.ts";
import type { CallOptions, SubmitOutcome, VideoProvider, VideoTask } from "../provider.ts";
import { notAsked, notSent, UNHURRIED } from "../time_left.ts";
import { polledState, submitOutcome } from "./answers.ts";
import { creditsToUsd, KieClient } from "./client.ts";
import { Pace, type PaceLimit } from "./pace.ts";
import { createTaskOf } from "./requests.ts";
import { parseKieCallback } from "./webhook.ts";

/** How to use one KIE account. */
export interface KieConfig extends AccountConfig {
  /** How fast tasks may be created. */
  readonly pace?: PaceLimit;
}

const DEFAULT_URL = "https://api.kie.ai";
/**
 * With the pace's longest wait still well within the lease of a submit: nobody must take the tasks of
 * a worker that is only slow, since they cannot be handed over a second time.
 */
const DEFAULT_TIMEOUT_MS = 15_000;
/** 20 creates in 10 s, per account (docs.kie.ai/1973359m0), and some room for the way there. */
const PACE: PaceLimit = { most: 20, perMs: 10_500 };
/** All of them at once; half of what the account may create in one window. */
const SUBMIT_BATCH = 10;
/** One call a task, so many at a time that even answers at the time limit fit into a poll's lease. */
const POLL_BATCH = 24;
const POLL_WIDTH = 8;
/** Hosts of results that public clients met; KIE documents none. KIE_MEDIA_HOSTS replaces them. */
const MEDIA_HOSTS = [
  "tempfile.aiquickdraw.com",
  "tempfileb.aiquickdraw.com",
  "file.aiquickdraw.com",
  "static.aiquickdraw.com",
  "tempfile.redpandaai.co",
];

/** A provider backed by one KIE account. Makes no call by itself. Throws on an impossible key. */
export function createKieProvider(config: KieConfig): VideoProvider {
  const timeoutMs = config.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const client = new KieClient(
    new Caller({
      provider: "KIE",
      url: DEFAULT_URL,
      ...config,
      timeoutMs,
    }),
  );
  const pace = new Pace(config.pace ?? PACE);
  return {
    name: "kie",
    choosesTaskId: false,
    callsBack: true,
    submitBatch: SUBMIT_BATCH,
    pollBatch: POLL_BATCH,
    mediaHosts: config.mediaHosts ?? MEDIA_HOSTS,
    submit(tasks, { hasTime } = UNHURRIED) {
      const tools: CreateTools = { client, pace, hasTime: () => hasTime(timeoutMs) };
      return inParallel(tasks, SUBMIT_BATCH, (task) => submit(tools, task));
    },
    poll: (ids, { hasTime } = UNHURRIED) =>
      inParallel(
        ids,
        POLL_WIDTH,
        async (id) => hasTime() ? polledState(id, await client.recordInfo(id)) : notAsked(id),
      ),
    parseEvent: parseKieCallback,
    balanceUsd: async () => creditsToUsd(await client.credits()),
  };
}

/** Where tasks are handed over, and how fast. */
interface CreateTools extends CallOptions {
  readonly client: KieClient;
  readonly pace: Pace;
}

/** One create, never repeated: there is no id of ours by which KIE could tell the second from the first. */
async function submit(
  { client, pace, hasTime }: CreateTools,
  task: VideoTask,
): Promise<SubmitOutcome> {
  const request = createTaskOf(task);
  if ("kind" in request) return { id: task.id, outcome: "refused", error: request };
  await pace.turn();
  // With others in front, that may have taken longer than the task is ours.
  if (!hasTime()) return notSent(task.id);
  return submitOutcome(task.id, await client.createTask(request));
}
