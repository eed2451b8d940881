/**
 * Runway behind the port. Its API gives tasks ids of its own and offers no key to find a task again by,
 * so a create whose answer is lost is an unknown outcome and is never sent a second time: not here, and
 * not by an SDK that retries (`@runwayml/sdk` does, which is why only its types are used).
 */
import { z } from "zod";
import { inParallel } from "../../in_parallel.ts";
import { type AccountConfig, answerOrError, Caller, CallError, plainError } from "../http.ts";
import type { CancelOutcome, SubmitOutcome, TaskState, VideoProvider } from "../provider.ts";
import { notAsked, notSent, UNHURRIED } from "../time_left.ts";
import { cancelOutcome, creditsToUsd, polledState, submitOutcome } from "./answers.ts";
import { toProviderError } from "./errors.ts";
import { toRunwayRequest } from "./requests.ts";

const DEFAULT_URL = "https://api.dev.runwayml.com";
/** The version of the API that the answers are read by. Required with every call. */
const API_VERSION = "2024-11-06";
const DEFAULT_TIMEOUT_MS = 20_000;
/** One call a task, all at once: a batch takes no longer than one time limit, well within a lease. */
const SUBMIT_BATCH = 10;
const POLL_BATCH = 20;
/** Calls at work at once. */
const AT_ONCE = 10;
/** Hosts of results in the documentation and in answers that public clients met. */
const MEDIA_HOSTS = ["dnznrvs05pmza.cloudfront.net", "d2jqrm6oza8nb6.cloudfront.net"];

const organization = z.object({ creditBalance: z.number() });

/** A provider backed by one Runway account. Makes no call by itself. Throws on an impossible key. */
export function createRunwayProvider(config: AccountConfig): VideoProvider {
  const caller = new Caller({
    provider: "Runway",
    url: DEFAULT_URL,
    timeoutMs: DEFAULT_TIMEOUT_MS,
    headers: { "x-runway-version": API_VERSION },
    ...config,
  });

  return {
    name: "runway",
    choosesTaskId: false,
    callsBack: false,
    submitBatch: SUBMIT_BATCH,
    pollBatch: POLL_BATCH,
    mediaHosts: config.mediaHosts ?? MEDIA_HOSTS,
    submit: (tasks, { hasTime } = UNHURRIED) =>
      inParallel(tasks, AT_ONCE, async (task): Promise<SubmitOutcome> => {
        if (!hasTime()) return notSent(task.id);
        const { path, body } = toRunwayRequest(task);
        const answer = await answerOrError(() => caller.call("POST", path, body));
        return answer instanceof CallError
          ? { id: task.id, outcome: "unknown", error: plainError(answer) }
          : submitOutcome(task.id, answer);
      }),
    poll: (ids, { hasTime } = UNHURRIED) =>
      inParallel(ids, AT_ONCE, async (id): Promise<TaskState> => {
        if (!hasTime()) return notAsked(id);
        const answer = await answerOrError(() => caller.call("GET", pathOf(id)));
        return answer instanceof CallError
          ? { id, state: "unanswered", error: plainError(answer) }
          : polledState(id, answer);
      }),
    // Runway calls nobody back.
    parseEvent: () => [],
    async cancel(id): Promise<CancelOutcome> {
      const answer = await answerOrError(() => caller.call("DELETE", pathOf(id)));
      return answer instanceof CallError
        ? { outcome: "unknown", error: plainError(answer) }
        : cancelOutcome(answer);
    },
    async balanceUsd() {
      const answer = await caller.call("GET", "/v1/organization");
      const read = organization.safeParse(answer.json);
      if (answer.status < 300 && read.success) return creditsToUsd(read.data.creditBalance);
      throw new Error(toProviderError(answer).message);
    },
  };
}

function pathOf(id: string): string {
  return `/v1/tasks/${encodeURIComponent(id)}`;
}
