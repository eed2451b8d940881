/** Runware behind the port. */
import { type AccountConfig, Caller, CallError, plainError } from "../http.ts";
import type {
  CallOptions,
  SubmitOutcome,
  TaskState,
  VideoProvider,
  VideoTask,
} from "../provider.ts";
import { inHalves } from "../in_halves.ts";
import { notSent, UNHURRIED } from "../time_left.ts";
import { blamesSomeId, blamesSomeTask, isAboutUs, polledState, submitOutcome } from "./answers.ts";
import { RunwareClient } from "./client.ts";
import { toVideoInference } from "./requests.ts";
import { parseRunwareWebhook } from "./webhook.ts";

const DEFAULT_URL = "https://api.runware.ai/v1";
/** An acknowledgement comes at once; a worker must not spend its life on one that does not. */
const DEFAULT_TIMEOUT_MS = 20_000;
/** No limit is documented. One lost answer leaves no more tasks in doubt than one poll settles. */
const SUBMIT_BATCH = 50;
const POLL_BATCH = 100;
/** Calls in which one bad id among a hundred is found, after the one that told that there is one. */
const POLLS_AGAIN = 14;
/** Hosts seen in the documentation, newest first. */
const MEDIA_HOSTS = ["vm.runware.ai", "im.runware.ai"];

/** A provider backed by one Runware account. Makes no call by itself. Throws on an impossible key. */
export function createRunwareProvider(config: AccountConfig): VideoProvider {
  const client = new RunwareClient(
    new Caller({
      provider: "Runware",
      url: DEFAULT_URL,
      timeoutMs: DEFAULT_TIMEOUT_MS,
      ...config,
    }),
  );
  return {
    name: "runware",
    choosesTaskId: true,
    callsBack: true,
    submitBatch: SUBMIT_BATCH,
    pollBatch: POLL_BATCH,
    mediaHosts: config.mediaHosts ?? MEDIA_HOSTS,
    submit: (tasks, options = UNHURRIED) => submit(client, tasks, options),
    poll: (ids, options = UNHURRIED) => poll(client, ids, atMost(POLLS_AGAIN, options)),
    parseEvent: parseRunwareWebhook,
    balanceUsd: () => client.balance(),
  };
}

/** Answers what each task was answered; what there is no time for is not handed over. */
function submit(
  client: RunwareClient,
  tasks: readonly VideoTask[],
  { hasTime }: CallOptions,
): Promise<SubmitOutcome[]> {
  // Safe: the ids are ours, so whatever was taken after all comes back as a conflict.
  return inHalves(tasks, async (some) => {
    if (some.length === 0) return [];
    if (some.length < tasks.length && !hasTime()) return some.map(({ id }) => notSent(id));
    const answer = await client.submit(some.map(toVideoInference));
    if (answer instanceof CallError) return some.map(({ id }) => notAnswered(id, answer));
    if (blamesSomeTask(answer) && some.length > 1) return "spoiled";
    return some.map(({ id }) => submitOutcome(id, answer));
  });
}

/** What there is no time to ask about once more stands as it was answered: not at all. */
function poll(
  client: RunwareClient,
  ids: readonly string[],
  mayAskAgain: () => boolean,
): Promise<TaskState[]> {
  const answered = new Map<string, TaskState>();
  return inHalves(ids, async (some) => {
    if (some.length === 0) return [];
    if (some.length < ids.length && !mayAskAgain()) {
      return some.flatMap((id) => answered.get(id) ?? []);
    }
    const answer = await client.getResponses([...new Set(some)]);
    if (answer instanceof CallError) {
      return some.map((id) => ({ id, state: "unanswered", error: plainError(answer) }));
    }
    const states = some.map((id) => polledState(id, answer));
    if (!blamesSomeId(answer) || some.length === 1) return states;
    for (const state of states) answered.set(state.id, state);
    return "spoiled";
  });
}

/** True until the time is up, or so many have asked. */
function atMost(most: number, { hasTime }: CallOptions): () => boolean {
  let asked = 0;
  return () => asked++ < most && hasTime();
}

function notAnswered(id: string, error: CallError): SubmitOutcome {
  return { id, outcome: isAboutUs(error) ? "refused" : "unknown", error: plainError(error) };
}
