/** Runware behind the port. */
import type {
  ProviderError,
  SubmitOutcome,
  TaskState,
  VideoProvider,
  VideoTask,
} from "../provider.ts";
import { blamesSomeTask, isAboutUs, polledState, submitOutcome } from "./answers.ts";
import { type Answer, RunwareClient, RunwareError } from "./client.ts";
import { type RequestOptions, toVideoInference } from "./requests.ts";
import { parseRunwareWebhook } from "./webhook.ts";

/** How to use one Runware account. Everything but the key has a default fit for production. */
export interface RunwareConfig extends Partial<RequestOptions> {
  readonly apiKey: string;
  readonly url?: string;
  /** Milliseconds for one call. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
  /** Hosts finished files come from; the sandbox has its own. */
  readonly mediaHosts?: readonly string[];
}

const DEFAULT_URL = "https://api.runware.ai/v1";
/** An acknowledgement comes at once; a worker must not spend its life on one that does not. */
const DEFAULT_TIMEOUT_MS = 20_000;
/** A day: long enough for an outage of our storage, short enough for pictures of children. */
const DEFAULT_TTL_SECONDS = 86_400;
/** No limit is documented. One lost answer leaves no more tasks in doubt than one poll settles. */
const SUBMIT_BATCH = 50;
const POLL_BATCH = 100;
/** Hosts seen in the documentation, newest first. */
const MEDIA_HOSTS = ["vm.runware.ai", "im.runware.ai"];

/** A provider backed by one Runware account. Makes no call by itself. Throws on an impossible key. */
export function createRunwareProvider(config: RunwareConfig): VideoProvider {
  const client = new RunwareClient({
    apiKey: config.apiKey,
    url: config.url ?? DEFAULT_URL,
    timeoutMs: config.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    ...(config.fetch === undefined ? {} : { fetch: config.fetch }),
  });
  const options: RequestOptions = {
    frameImages: config.frameImages ?? "inputs",
    ttlSeconds: config.ttlSeconds ?? DEFAULT_TTL_SECONDS,
    safety: config.safety ?? "fast",
  };
  return {
    name: "runware",
    choosesTaskId: true,
    callsBack: true,
    submitBatch: SUBMIT_BATCH,
    pollBatch: POLL_BATCH,
    mediaHosts: config.mediaHosts ?? MEDIA_HOSTS,
    submit: (tasks) => submit(client, options, tasks),
    poll: (ids) => poll(client, ids),
    parseEvent: parseRunwareWebhook,
    balanceUsd: () => client.balance(),
  };
}

async function submit(
  client: RunwareClient,
  options: RequestOptions,
  tasks: readonly VideoTask[],
): Promise<SubmitOutcome[]> {
  if (tasks.length === 0) return [];
  const answer = await attempt(() =>
    client.submit(tasks.map((task) => toVideoInference(task, options)))
  );
  if (answer instanceof RunwareError) return tasks.map(({ id }) => notAnswered(id, answer));
  if (blamesSomeTask(answer) && tasks.length > 1) {
    // Safe: the ids are ours, so whatever was taken after all comes back as a conflict.
    return inHalves(tasks, (half) => submit(client, options, half));
  }
  return tasks.map(({ id }) => submitOutcome(id, answer));
}

async function poll(client: RunwareClient, ids: readonly string[]): Promise<TaskState[]> {
  if (ids.length === 0) return [];
  const answer = await attempt(() => client.getResponses([...new Set(ids)]));
  if (answer instanceof RunwareError) {
    return ids.map((id) => ({ id, state: "unanswered", error: plain(answer) }));
  }
  if (blamesSomeTask(answer) && ids.length > 1) {
    return inHalves(ids, (half) => poll(client, half));
  }
  return ids.map((id) => polledState(id, answer));
}

/** Runs the work on one half after the other, so that one bad entry spoils only its own call. */
async function inHalves<T, R>(all: readonly T[], work: (half: T[]) => Promise<R[]>): Promise<R[]> {
  const middle = Math.ceil(all.length / 2);
  const first = await work(all.slice(0, middle));
  return [...first, ...await work(all.slice(middle))];
}

/** A wire that fails is an answer too; anything else is a bug and passes through. */
async function attempt(call: () => Promise<Answer>): Promise<Answer | RunwareError> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof RunwareError) return error;
    throw error;
  }
}

function notAnswered(id: string, error: RunwareError): SubmitOutcome {
  return { id, outcome: isAboutUs(error) ? "refused" : "unknown", error: plain(error) };
}

/** The fields without the stack, since this is stored as JSON. */
function plain({ kind, code, message, retryAfterSeconds, raw }: RunwareError): ProviderError {
  return {
    kind,
    code,
    message,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    raw,
  };
}
