/**
 * Polling: leases attempts that are due, asks the provider about all of them in one call of its port,
 * settles.
 * A webhook only makes an attempt due; what it says counts where the provider has forgotten the task,
 * and where nothing else has been heard of the task by its deadline.
 */
import { countBy } from "../count_by.ts";
import { isDataError, isLockTimeout, ONE_BY_ONE } from "../db/database.ts";
import {
  type DuePoll,
  duePolls,
  noteAskedInVain,
  providersToPoll,
  recordedEvents,
  type SettleRecord,
  settleVideoJobs,
} from "../db/poll_calls.ts";
import { isAllowedMedia } from "../storage/allowed_media.ts";
import { modelsOf } from "../providers/registry.ts";
import type { TaskState, VideoProvider } from "../providers/provider.ts";
import { wasNotAsked } from "../providers/time_left.ts";
import { type Batch, batchOfEach, FULL_ENOUGH } from "./batch_of_each.ts";
import { cancelBatch } from "./cancel.ts";
import { Lease, type LeaseClock } from "./lease.ts";
import { MISSING_GRACE_SECONDS, settlement } from "./settlement.ts";
import type { WorkerTools } from "./worker_tools.ts";

/** How attempts are asked about. */
export interface PollOptions {
  /**
   * "on": providers that call back can reach us. So for as long as a render usually takes, none of
   * them is asked that has not rung; what people see of the progress is an estimate until then.
   */
  readonly webhooks?: "on" | "off";
}

/** Asks each provider about one batch, and tells it to stop what nobody wants any more. */
export async function pollAll(
  tools: WorkerTools,
  providers: ReadonlyMap<string, VideoProvider>,
  options: PollOptions = {},
): Promise<Batch> {
  const look = () => providersToPoll(tools.database);
  return await batchOfEach(look, { providers, log: tools.log }, async (provider) => {
    const cancelled = await cancelBatch(tools, provider);
    const { taken, fullness } = await pollProvider(tools, provider, options);
    return { taken: cancelled + taken, fullness };
  });
}

/** Upper bound on one settle batch, in multiples of a full call, when few attempts need a call. */
const MOST_CALLS = 5;

/**
 * Leases attempts until a call is full enough, or until all that are due are leased: those that nobody
 * is asked about take no room in it.
 */
async function leaseCall(
  { database }: WorkerTools,
  { name, pollBatch, callsBack }: VideoProvider,
  webhooks: "on" | "off",
): Promise<{ readonly due: readonly DuePoll[]; readonly fullness: number }> {
  const due: DuePoll[] = [];
  for (let asked = 0;;) {
    const most = pollBatch - asked;
    const leased = await duePolls(database, {
      provider: name,
      most,
      webhooks: callsBack ? webhooks : "off",
    });
    due.push(...leased);
    asked += leased.filter(({ quiet }) => !quiet).length;
    if (leased.length < most) return { due, fullness: asked / pollBatch };
    // There may be more.
    if (asked >= pollBatch * FULL_ENOUGH || due.length >= pollBatch * MOST_CALLS) {
      return { due, fullness: 1 };
    }
  }
}

/**
 * Asks about one batch in one call of the port. Those that there was no time for stay as they are, and are due
 * again when their lease is over: their deadline is for the provider's silence, not for ours.
 */
export async function pollProvider(
  tools: WorkerTools,
  provider: VideoProvider,
  { webhooks = "off" }: PollOptions = {},
  clock?: LeaseClock,
): Promise<Batch> {
  const { database, log } = tools;
  const lease = new Lease(clock);
  const { due, fullness } = await leaseCall(tools, provider, webhooks);
  const [first] = due;
  if (first === undefined) return { taken: 0, fullness: 0 };
  const models = await modelsOf(provider.name);

  const ids = due.filter((poll) => !poll.quiet).map((poll) => poll.provider_task_id);
  const hasTime = (requestMs?: number) => lease.hasRoom(first.lease_seconds, requestMs);
  const answers = ids.length === 0 ? [] : await provider.poll(ids, { hasTime });
  const left = new Set(answers.filter(wasNotAsked).map(({ id }) => id));
  const heard = answers.filter(({ id }) => !left.has(id));
  await noteSilence(heard);
  const polls = due.filter((poll) => !left.has(poll.provider_task_id));
  const states = await recall(polls, new Map(heard.map((answer) => [answer.id, answer])));
  const about = { models, choosesTaskId: provider.choosesTaskId };
  const results = polls.map((poll) => settlement(poll, states.get(poll.provider_task_id), about));
  const changes = await settleVideoJobs(database, results).catch((error: unknown) => {
    if (!isDataError(error) && !isLockTimeout(error)) throw error;
    // One answer that the database refuses, or whose video, owner or project somebody holds, must not
    // hold up the others forever. What is left is asked about again when its lease is over.
    log.error("A batch of answers could not be settled, settling them one by one", { error });
    return settleEach(results);
  });
  log.info("Polled", {
    due: due.length,
    asked: ids.length - left.size,
    ...countBy(changes.map((change) => change.result)),
  });
  return { taken: due.length, fullness };

  /** No news is settled as none; why there is none is for the operator, who can do something about it. */
  async function noteSilence(all: readonly TaskState[]): Promise<void> {
    const errors = all.flatMap((one) => one.state === "unanswered" ? [one.error] : []);
    if (errors.length === 0) return;
    log.warn("The provider did not answer for some tasks", {
      provider: provider.name,
      asked: all.length,
      ...countBy(errors.map(({ kind, code }) => `${kind} ${code}`)),
    });
    const ours = errors.find(({ kind }) => kind === "auth" || kind === "balance");
    if (ours !== undefined && errors.length === all.length) {
      await noteAskedInVain(database, provider.name, ours.code);
    }
  }

  async function settleEach(all: readonly SettleRecord[]) {
    const changes = [];
    for (const result of all) {
      try {
        changes.push(...await settleVideoJobs(database, [result], ONE_BY_ONE));
      } catch (error) {
        log.error("An answer could not be settled", { video_job_id: result.video_job_id, error });
      }
    }
    return changes;
  }

  /** Where the provider has nothing (more) to say, the webhook's word stands in, if there was one. */
  async function recall(
    polls: readonly DuePoll[],
    told: ReadonlyMap<string, TaskState>,
  ): Promise<ReadonlyMap<string, TaskState>> {
    const mute = polls.filter((poll) => mayTrustWebhook(poll, told.get(poll.provider_task_id)));
    if (mute.length === 0) return told;
    const events = await recordedEvents(database, mute.map((poll) => poll.video_job_id));
    const states = new Map(told);
    for (const poll of mute) {
      const said = events
        .filter((event) => event.video_job_id === poll.video_job_id)
        .flatMap((event) => provider.parseEvent(event.payload))
        .find((state) => state.id === poll.provider_task_id && isCredible(state, provider));
      if (said !== undefined) states.set(poll.provider_task_id, said);
    }
    return states;
  }
}

/** An end that can be acted on. Whoever holds a token may send a link of their own; it leads nowhere. */
function isCredible(told: TaskState, { mediaHosts }: VideoProvider): boolean {
  return told.state === "failed" ||
    (told.state === "succeeded" && isAllowedMedia(told.videoUrl, mediaHosts));
}

/** No end is to be expected from the provider's own answers: it knows nothing, or time is up. */
function mayTrustWebhook(poll: DuePoll, told: TaskState | undefined): boolean {
  if (told?.state === "succeeded" || told?.state === "failed") return false;
  // A task that is being handed over, or was a moment ago, is not known yet rather than forgotten: a
  // forged word must not win by being early, or a second attempt would be bought beside the first.
  const isForgotten = told?.state === "missing" && poll.seconds_running >= MISSING_GRACE_SECONDS;
  return poll.overdue || isForgotten;
}
