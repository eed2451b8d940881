/**
 * What may happen in a story, as plain data: what fast-check draws and shrinks, and what a test can quote.
 *
 * Time only goes forward, in jumps. All times are the database's, kept as moments; a clock that is set back
 * makes each of them as much further away, which is what a shorter jump forward looks like from there.
 */
import fc from "fast-check";
import { type Ending, ENDINGS, type Fate, FATES, type Word, WORDS } from "./provider.ts";
import { type ProviderKind, PROVIDERS, type Setting } from "./state.ts";
import { TIDINGS, type Tidings } from "./webhooks.ts";
import { COPIES, type Copy, type Job, JOBS } from "./worker.ts";

/** Names of the workers. */
export const WORKERS = ["A", "B", "C"] as const;
/** Names of the people. */
export const PEOPLE = ["Ann", "Ben", "Cleo"] as const;

type WorkerName = typeof WORKERS[number];
type Person = typeof PEOPLE[number];

/** What somebody asks for when queueing. */
export interface Wish {
  readonly who: Person;
  readonly rhyme: number;
  readonly key: number | null;
  readonly body: number;
}

/**
 * Something that one side does in the database. Videos, attempts and tasks are counted back from the
 * newest, which is 0; a number beyond the oldest starts again from the newest.
 */
export type Deed =
  | { do: "grant"; who: Person; gems: number; key: number }
  | { do: "queue" } & Wish
  /** In one call. */
  | { do: "queueTogether"; wishes: readonly Wish[] }
  | { do: "cancel"; video: number }
  | { do: "webhook"; attempt: number; says: Tidings }
  | {
    do: "work";
    worker: WorkerName;
    /** An idle worker begins this, or else whatever there is to do. */
    job: Job;
    /** A worker that waits is answered this. */
    fates: readonly Fate[];
    words: readonly Word[];
    copy: Copy;
    /** What is handed over is taken now, and the answer comes when the worker goes on once more. */
    late?: boolean;
  }
  | { do: "maintain" }
  | { do: "delete"; who: Person };

/** One line of a story. */
export type Act =
  | Deed
  | { do: "both"; first: Deed; at: number; second: Deed }
  | { do: "end"; task: number; ending: Ending }
  /** `asked`: what it was about to ask the outside for has gone out. */
  | { do: "crash"; worker: WorkerName; asked: boolean }
  | { do: "wait"; seconds: number };

const person = fc.constantFrom(...PEOPLE);
const worker = fc.constantFrom(...WORKERS);
/** Mostly one of the newest: those are still alive. */
const some = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 2 }) },
  { weight: 1, arbitrary: fc.nat({ max: 11 }) },
);

/** Mostly the first of the list, now and then one of the others. */
const mostly = <T>(list: readonly T[], weight: number): fc.Arbitrary<T> => {
  const [first, ...others] = list.map((item) => fc.constant(item));
  if (first === undefined) throw new Error("The list is empty");
  return fc.oneof(
    { arbitrary: first, weight },
    ...others.map((arbitrary) => ({ arbitrary, weight: 1 })),
  );
};

const wish = {
  who: person,
  rhyme: fc.nat({ max: 2 }),
  key: fc.option(fc.nat({ max: 2 }), { freq: 2 }),
  body: mostly([0, 1], 6),
};

/** Each kind of deed with how often it is drawn. */
const deeds = {
  grant: {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("grant" as const),
      who: person,
      gems: fc.constantFrom(20, 50, 100),
      key: fc.nat({ max: 9 }),
    }),
  },
  queue: {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("queue" as const), ...wish }),
  },
  queueTogether: {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("queueTogether" as const),
      wishes: fc.array(fc.record(wish), { minLength: 2, maxLength: 4 }),
    }),
  },
  cancel: {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("cancel" as const), video: some }),
  },
  webhook: {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("webhook" as const),
      attempt: some,
      says: mostly(TIDINGS, 3),
    }),
  },
  work: {
    weight: 36,
    arbitrary: fc.record({
      do: fc.constant("work" as const),
      worker,
      job: fc.constantFrom(...JOBS),
      fates: fc.array(mostly(FATES, 9), { minLength: 1, maxLength: 3 }),
      words: fc.array(mostly(WORDS, 5), { minLength: 1, maxLength: 3 }),
      copy: mostly(COPIES, 4),
      late: mostly([false, true], 5),
    }),
  },
  maintain: { weight: 5, arbitrary: fc.constant({ do: "maintain" as const }) },
};
const { grant, queue, queueTogether, cancel, webhook, work, maintain } = deeds;
const deed: fc.Arbitrary<Deed> = fc.oneof(
  ...[grant, queue, queueTogether, cancel, webhook, work, maintain],
);
const deletion = fc.record({ do: fc.constant("delete" as const), who: person });
const withDeletion: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 100, arbitrary: deed },
  { weight: 1, arbitrary: deletion },
);

const both = (first: fc.Arbitrary<Deed>, second: fc.Arbitrary<Deed>) =>
  fc.record({ do: fc.constant("both" as const), first, at: mostly([1, 2, 3, 4, 5, 0], 4), second });

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 300, arbitrary: deed },
  { weight: 1, arbitrary: deletion },
  {
    weight: 80,
    arbitrary: both(fc.oneof(work, { weight: 30, arbitrary: withDeletion }), withDeletion),
  },
  { weight: 15, arbitrary: both(work.arbitrary, cancel.arbitrary) },
  {
    weight: 5,
    arbitrary: queue.arbitrary.chain((one) => both(fc.constant(one), fc.constant(one))),
  },
  {
    weight: 60,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      task: some,
      ending: mostly(ENDINGS, 4),
    }),
  },
  {
    weight: 30,
    arbitrary: fc.record({ do: fc.constant("crash" as const), worker, asked: fc.boolean() }),
  },
  {
    weight: 90,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      seconds: fc.oneof(
        { weight: 22, arbitrary: fc.constant(10) },
        { weight: 12, arbitrary: fc.constant(60) },
        { weight: 5, arbitrary: fc.constant(310) },
        { weight: 2, arbitrary: fc.constant(35 * 60) },
        { weight: 1, arbitrary: fc.constant(7 * 60 * 60) },
      ),
    }),
  },
);

/** A story: what it is set in, and what happens. */
export interface Story extends Setting {
  readonly acts: readonly Act[];
}

const kinds = Object.keys(PROVIDERS).map((kind) => kind as ProviderKind);

/** A story of up to this many acts. */
export const stories = (longest: number): fc.Arbitrary<Story> =>
  fc.record({
    provider: mostly(kinds, 4),
    retries: fc.constantFrom(2, 0),
    claims: mostly([2, 1], 2),
    acts: fc.array(act, { minLength: 1, maxLength: longest, size: "max" }),
  });
