/**
 * Stories told again: every one that proved the product wrong (found by model_test.ts), and those that
 * chance tells too seldom.
 */
import type { Act } from "./model/acts.ts";
import { playStory } from "./model/run.ts";
import { withStage } from "./model/stage.ts";
import type { Setting } from "./model/state.ts";
import type { Job } from "./model/worker.ts";

/** Plays the story to its end; the model must explain each line of it. */
function toldAgain(
  acts: readonly Act[],
  { provider = "takes our ids", retries = 2, claims = 2 }: Partial<Setting> = {},
): () => Promise<void> {
  return async () => {
    await withStage(async (stage) => {
      await playStory(stage, { provider, retries, claims, acts });
    });
  };
}

const work = { do: "work", fates: ["taken"], words: ["truth"], copy: "stored" } as const;
const annQueues = { do: "queue", who: "Ann", rhyme: 2, key: null, body: 0 } as const;
const maintain = { do: "maintain" } as const;

/** A worker begins the job, and is answered that all is well. */
const wellDone = (worker: "A" | "B" | "C", job: Job): Act[] => [
  { ...work, worker, job },
  { ...work, worker, job },
];
/** Ann's video to where the provider has made it. */
const made: Act[] = [
  annQueues,
  ...wellDone("A", "submit"),
  { do: "end", task: 0, ending: "succeeded" },
  { do: "wait", seconds: 10 },
];

// An attempt without an acknowledgement has no deadline, and "no deadline" was taken for "past it", so
// that the answer moved nothing and the next question waited for the lease instead of the poll step.
Deno.test(
  "a webhook that outruns the acknowledgement: the attempt is asked about again at the next poll step",
  toldAgain([
    annQueues,
    { ...work, worker: "A", job: "submit" },
    { do: "webhook", attempt: 0, says: "a ring" },
    ...wellDone("B", "poll"),
  ]),
);

// A held attempt comes back as a new row of the queue under the same id and from round 0, which the
// sleeper's ticket fits. The sleeper used to complete all that it had once been given.
Deno.test(
  "a submitter that sleeps past its lease and wakes does not complete the job of whoever took over",
  toldAgain([
    annQueues,
    { ...work, worker: "A", job: "submit" },
    { do: "wait", seconds: 160 },
    maintain,
    { do: "wait", seconds: 10 },
    { ...work, worker: "B", job: "submit" },
    { ...work, worker: "B", job: "submit", fates: ["too fast"] },
    { do: "wait", seconds: 40 },
    { ...work, worker: "C", job: "submit" },
    { ...work, worker: "A", job: "submit" },
  ]),
);

// An attempt on its last claim was failed and refunded as soon as its queue job came round again, while
// the worker of that claim was handing it over: the provider made a video that nobody got.
Deno.test(
  "an attempt on its last claim is not given up while that worker's lease runs",
  toldAgain([
    annQueues,
    { ...work, worker: "A", job: "submit" },
    { do: "wait", seconds: 160 },
    maintain,
    { do: "wait", seconds: 10 },
    { ...work, worker: "B", job: "submit" },
    { do: "wait", seconds: 70 },
    maintain,
    { do: "wait", seconds: 10 },
    { ...work, worker: "C", job: "submit" },
    { ...work, worker: "B", job: "submit" },
  ]),
);

Deno.test(
  "two workers that copy the same file: one completion, one notice, and the second is told so",
  toldAgain([
    ...made,
    ...wellDone("A", "poll"),
    { ...work, worker: "A", job: "store" },
    { do: "wait", seconds: 310 },
    maintain,
    { do: "wait", seconds: 10 },
    { ...work, worker: "B", job: "store" },
    { ...work, worker: "A", job: "store" },
    { ...work, worker: "B", job: "store" },
  ]),
);

Deno.test(
  "an answer that comes after the lease is void: the attempt is whose took over",
  toldAgain([
    annQueues,
    { ...work, worker: "A", job: "submit" },
    { ...work, worker: "A", job: "submit", late: true },
    { do: "wait", seconds: 160 },
    maintain,
    { do: "wait", seconds: 10 },
    { ...work, worker: "B", job: "submit" },
    { ...work, worker: "A", job: "submit" },
    { ...work, worker: "B", job: "submit" },
  ]),
);

Deno.test(
  "a video is cancelled while the answer is on its way: it stays cancelled",
  toldAgain([
    annQueues,
    { ...work, worker: "A", job: "submit" },
    { ...work, worker: "A", job: "submit", late: true },
    { do: "cancel", video: 0 },
    { ...work, worker: "A", job: "submit" },
  ]),
);

const crash = { do: "crash", worker: "A", asked: false } as const;

Deno.test(
  "an attempt that outlives none of its workers is given up after its last claim",
  toldAgain([
    annQueues,
    { ...work, worker: "A", job: "submit" },
    crash,
    { do: "wait", seconds: 160 },
    maintain,
    { do: "wait", seconds: 10 },
    { ...work, worker: "A", job: "submit" },
    crash,
    { do: "wait", seconds: 160 },
    maintain,
    { do: "wait", seconds: 70 },
    { ...work, worker: "A", job: "submit" },
  ]),
);

Deno.test(
  "two workers that cannot keep the same file: the video fails once, with one refund and one notice",
  toldAgain([
    { ...annQueues, rhyme: 0 },
    ...made.slice(1),
    ...wellDone("A", "poll"),
    { ...work, worker: "A", job: "store" },
    { do: "wait", seconds: 310 },
    maintain,
    { do: "wait", seconds: 10 },
    { ...work, worker: "B", job: "store" },
    { ...work, worker: "A", job: "store", copy: "too large" },
    { ...work, worker: "B", job: "store", copy: "too large" },
  ]),
);

Deno.test(
  "a video is cancelled in the middle of the transaction that delivers it: it is rendering, and stays so",
  toldAgain([
    ...made,
    { ...work, worker: "A", job: "poll" },
    {
      do: "both",
      first: { ...work, worker: "A", job: "poll" },
      at: 1,
      second: { do: "cancel", video: 0 },
    },
  ]),
);

Deno.test(
  "the same order twice at once, before either has committed: one video, one charge",
  toldAgain([
    { do: "both", first: { ...annQueues, key: 1 }, at: 1, second: { ...annQueues, key: 1 } },
  ]),
);

Deno.test(
  "two orders at once where the limit has room for one: the second is refused",
  toldAgain([
    annQueues,
    annQueues,
    annQueues,
    { do: "both", first: annQueues, at: 1, second: annQueues },
  ]),
);

// Reconcile passes over what somebody holds, and comes again a minute later. Here the model was wrong.
Deno.test(
  "reconcile meets a video that a late poller has in hand: it is given up the next time",
  toldAgain([
    ...made,
    { ...work, worker: "A", job: "poll" },
    { do: "wait", seconds: 70 },
    { ...work, worker: "B", job: "poll" },
    { ...work, worker: "A", job: "poll" },
    { do: "wait", seconds: 2_100 },
    { do: "both", first: { ...work, worker: "B", job: "poll" }, at: 1, second: maintain },
    maintain,
  ]),
);

// Attempts that are handed back change rows of the queue one by one; supervise sweeps over the same
// rows in its own order. Postgres ended supervise's statement, and maintain with it.
Deno.test(
  "a submitter that slept writes down its answers while maintain looks for dead workers: neither fails",
  toldAgain([
    { ...annQueues, rhyme: 0 },
    { ...annQueues, rhyme: 0 },
    { ...work, worker: "C", job: "submit" },
    { ...annQueues, who: "Ben", rhyme: 0 },
    { do: "wait", seconds: 10 },
    { ...work, worker: "A", job: "submit" },
    { do: "wait", seconds: 310 },
    { do: "grant", who: "Ann", gems: 50, key: 0 },
    { do: "grant", who: "Ben", gems: 20, key: 0 },
    {
      do: "both",
      first: { ...work, worker: "C", job: "submit", fates: ["request lost", "taken"] },
      at: 1,
      second: maintain,
    },
  ]),
);

// A provider says "no such task" of one that it is about to be handed, and a failure that only a webhook
// told of used to be believed then: a second attempt was bought beside the first.
Deno.test(
  "a forged failure for an attempt that is being handed over: not believed, and nothing is bought beside it",
  toldAgain([
    annQueues,
    { ...work, worker: "A", job: "submit" },
    { do: "webhook", attempt: 0, says: "forged: a failure" },
    ...wellDone("B", "poll"),
    { do: "wait", seconds: 40 },
    ...wellDone("B", "poll"),
    { ...work, worker: "A", job: "submit" },
  ]),
);

// Believed at the deadline, such a link spent the attempts that were left: nothing can be copied from it.
Deno.test(
  "a forged link to a file elsewhere: not believed at the deadline either, the attempt is made again",
  toldAgain([
    annQueues,
    ...wellDone("A", "submit"),
    { do: "webhook", attempt: 0, says: "forged: a success elsewhere" },
    { do: "wait", seconds: 2_100 },
    ...wellDone("B", "poll"),
  ]),
);
