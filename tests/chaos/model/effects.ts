/**
 * From calls that were heard to what each must have done in the model. An effect concerns one user or
 * one video; what the rules leave to chance is a list of ways in which it may have gone.
 */
import { z } from "zod";
import type { QueueJob } from "../../../shared/db/queue.ts";
import { addVideo, cancel, grant, type Order, orderOutcome, ring } from "./door_rules.ts";
import type { Heard, Transcript } from "./ear.ts";
import {
  complete,
  dueJobs,
  duePolls,
  expire,
  freeSlots,
  giveOut,
  handBack,
  isExpired,
  type Ticket,
} from "./queue_rules.ts";
import { reconcile } from "./reconcile_rules.ts";
import {
  attemptsOf,
  expect,
  findAccount,
  findAttempt,
  type Model,
  RULES,
  Unexplained,
} from "./state.ts";
import * as work from "./work_rules.ts";

const queuedVideo = z.object({ video_id: z.string(), replayed: z.boolean() });

/** What a call did to one user or video. Each way changes the model, or throws Unexplained. */
export interface Effect {
  readonly userId: string;
  /** null: the user as a whole. */
  readonly videoId: string | null;
  readonly ways: ((model: Model) => void)[];
  /** It waits for no lock: what the other side has in hand is left for the next time. */
  readonly passesOver?: boolean;
}

/** What a transcript comes to. */
export interface Told {
  readonly effects: Effect[];
  /** What must hold of the state before; only where nothing else went on at the same time. */
  readonly claims: ((model: Model) => void)[];
  /** Until when the provider is to rest. */
  readonly rests: number[];
}

/** Which row and round a worker's queue job stands for, learned when it was given out. */
const tickets = new WeakMap<object, Ticket>();

/** Whose an attempt is; undefined once the account is deleted. */
export type Locate = (attemptId: string) => { userId: string; videoId: string } | undefined;

/** What a transcript is read with. */
interface Reading extends Told {
  readonly before: Model;
  readonly locate: Locate;
}

/** Reads a transcript. `before` is the model without it. */
export function readTranscript(transcript: Transcript, before: Model, locate: Locate): Told {
  const reading: Reading = { effects: [], claims: [], rests: [], before, locate };
  for (const heard of transcript) read(heard, reading);
  return reading;
}

function read(heard: Heard, reading: Reading): void {
  switch (heard.call) {
    case "fetch":
      return readFetch(heard, reading);
    case "complete":
      return readSettled(
        heard.jobs,
        reading,
        (_model, place, ticket) => complete(place.attempt, heard.queue, ticket),
      );
    case "handBack":
      return readSettled(
        heard.jobs,
        reading,
        (model, place, ticket) => handBack(model, place.attempt, heard.queue, ticket),
      );
    case "supervise":
      return readSupervise(reading);
    case "recalled":
    case "told":
      return;
    case "sql":
      return SQL[heard.name]?.(heard, reading);
  }
}

/** An effect on the video of an attempt; none where its account is gone and it was never seen. */
function onAttempt(
  { effects, locate }: Reading,
  id: string,
  change: (model: Model, place: ReturnType<typeof findAttempt>) => void,
): void {
  const place = locate(id);
  if (place !== undefined) {
    effects.push({ ...place, ways: [(model) => change(model, findAttempt(model, id))] });
  }
}

function readFetch(heard: Heard & { call: "fetch" }, reading: Reading): void {
  const { queue, jobs, most } = heard;
  for (const { id: videoJobId, handle } of jobs) {
    onAttempt(reading, videoJobId, (model, { attempt }) => {
      tickets.set(handle, giveOut(model, attempt, queue));
    });
  }
  reading.claims.push((model) => {
    if (jobs.length >= most) return;
    const taken = new Set(jobs.map((job) => job.id));
    for (const { id } of dueJobs(model, queue)) {
      if (!taken.has(id)) throw new Unexplained(`${queue} kept the job of attempt ${id} back`);
    }
  });
}

function readSettled(
  jobs: readonly QueueJob[],
  reading: Reading,
  change: (model: Model, place: ReturnType<typeof findAttempt>, ticket: Ticket) => void,
): void {
  for (const { id: videoJobId, handle } of jobs) {
    onAttempt(reading, videoJobId, (model, place) => {
      const ticket = tickets.get(handle);
      if (ticket !== undefined) change(model, place, ticket);
    });
  }
}

/** The supervisor takes expired jobs from their workers, unless it did so less than a minute ago. */
function readSupervise({ before, effects }: Reading): void {
  const mayRest = before.supervisedAt + RULES.superviseEvery > before.now;
  for (const { account, video, attempt } of attemptsOf(before)) {
    for (const queue of ["submit-runware", "store-video"] as const) {
      // Whether it is expired is asked of the state it meets, which another side may have changed.
      const act = (model: Model) => expire(model, findAttempt(model, attempt.id).attempt, queue);
      const rest = () => {};
      if (!isExpired(before, attempt, queue) || attempt.id === "") continue;
      effects.push({
        userId: account.id,
        videoId: video.id,
        ways: mayRest ? [act, rest] : [act],
      });
    }
  }
}

const answered = z.tuple([z.object({ value: z.unknown() })]).transform(([row]) => row.value);
const changes = z.array(z.object({ video_job_id: z.string(), result: z.string() }));
const ids = z.array(z.string());
const fromJson = z.string().transform((text): unknown => JSON.parse(text));

type Reader = (heard: Heard & { call: "sql" }, reading: Reading) => void;

const outcomes = fromJson.pipe(z.array(z.object({
  video_job_id: z.string(),
  outcome: z.enum(["accepted", "failed", "held", "unknown"]),
  code: z.string().optional(),
  delay_seconds: z.number().nullish(),
})));
const settlements = fromJson.pipe(z.array(z.object({
  video_job_id: z.string(),
  state: z.enum(["succeeded", "processing", "unanswered", "failed"]),
  code: z.string().optional(),
  kind: z.string().optional(),
  progress: z.number().optional(),
  retry_seconds: z.number().nullish(),
})));
const refused = z.object({ error: z.string() });

/** How each of our SQL functions is read. Those that change nothing are not here. */
const SQL: Record<string, Reader> = {
  submission_slots({ values: [, most], rows }, { claims }) {
    claims.push((model) =>
      expect("Free slots", answered.parse(rows), Math.min(Number(most), freeSlots(model)))
    );
  },

  start_submissions({ values, rows }, reading) {
    const [jobIds, node] = z.tuple([ids, z.string()]).parse(values);
    const started = new Map(
      z.array(z.object({ video_job_id: z.string(), started: z.boolean() })).parse(rows)
        .map((row) => [row.video_job_id, row.started ? "started" : "busy"]),
    );
    for (const id of jobIds) {
      onAttempt(reading, id, (model, place) => {
        expect(`Claim by ${node}`, started.get(id) ?? "over", work.claim(model, place, node));
      });
    }
  },

  record_submissions({ values, rows }, reading) {
    const [said, node] = z.tuple([outcomes, z.string()]).parse(values);
    const results = new Map(changes.parse(rows).map((row) => [row.video_job_id, row.result]));
    // The provider rests only if it took nothing at all.
    if (!said.some((one) => one.outcome === "accepted")) {
      const delays = said.flatMap((one) => {
        const result = results.get(one.video_job_id);
        if (one.code === "lease_over") return [];
        if (result === "held") return Math.max(one.delay_seconds ?? 1, 1);
        return result !== undefined && one.code === work.UNKNOWN_OUTCOME ? 5 : [];
      });
      const rest = Math.min(Math.max(...delays), RULES.longestHold);
      if (delays.length > 0) reading.rests.push(reading.before.now + rest);
    }
    for (const one of said) {
      onAttempt(reading, one.video_job_id, (model, place) => {
        const found = results.get(one.video_job_id) ?? null;
        expect(`Recording ${one.outcome}`, found, work.record(model, place, node, one));
      });
    }
  },

  due_polls({ values: [, most], rows }, reading) {
    const due = z.array(z.object({ video_job_id: z.string() })).parse(rows);
    for (const { video_job_id } of due) {
      onAttempt(reading, video_job_id, (model, place) => {
        expect("Leased for polling", true, work.lease(model, place));
      });
    }
    reading.claims.push((model) => {
      const leased = new Set(due.map((row) => row.video_job_id));
      if (leased.size >= Number(most)) return;
      for (const { id } of duePolls(model)) {
        if (!leased.has(id)) throw new Unexplained(`Attempt ${id} was due and not polled`);
      }
    });
  },

  settle_video_jobs({ values, rows }, reading) {
    const [said] = z.tuple([settlements]).parse(values);
    const results = new Map(changes.parse(rows).map((row) => [row.video_job_id, row.result]));
    for (const one of said) {
      onAttempt(reading, one.video_job_id, (model, place) => {
        const result = work.settle(model, place, one);
        const found = results.get(one.video_job_id) ?? null;
        expect(`Settling ${one.state}`, found, result === "lost" ? null : result);
      });
    }
  },

  start_storing({ values, rows }, reading) {
    const [jobIds] = z.tuple([ids]).parse(values);
    const wanted = new Set(
      z.array(z.object({ video_job_id: z.string() })).parse(rows).map((row) => row.video_job_id),
    );
    for (const id of jobIds) {
      onAttempt(reading, id, (_model, place) => {
        expect("Wanted for storing", wanted.has(id), work.startStoring(place));
      });
    }
  },

  finish_storing({ values, rows }, reading) {
    const [id] = z.tuple([z.string(), z.string(), z.null()]).parse(values);
    onAttempt(reading, id, (_model, place) => {
      expect("Completed", answered.parse(rows), work.finishStoring(place));
    });
  },

  fail_storing({ values: [id], rows }, reading) {
    onAttempt(reading, z.string().parse(id), (model, place) => {
      expect("Given up", answered.parse(rows), work.failStoring(model, place));
    });
  },

  reconcile(_heard, { before, effects }) {
    for (const account of Object.values(before.accounts)) {
      for (const { id } of account.videos) {
        effects.push({
          userId: account.id,
          videoId: id,
          ways: [(model) => {
            const owner = findAccount(model, account.id);
            const video = owner.videos.find((one) => one.id === id);
            if (video !== undefined) reconcile(model, owner, video);
          }],
          passesOver: true,
        });
      }
    }
  },

  grant_gems({ values, rows }, { effects }) {
    const [userId, gems, , , key] = z.tuple([
      z.string(),
      z.number(),
      z.string(),
      z.string(),
      z.string(),
    ]).parse(values);
    const answer = answered.parse(rows);
    const found = refused.safeParse(answer).data?.error ??
      (z.object({ replayed: z.boolean() }).parse(answer).replayed ? "replayed" : "granted");
    effects.push(onAccount(userId, (model) => {
      expect("Grant", found, grant(findAccount(model, userId), key, gems));
    }));
  },

  queue_video({ values, rows }, { effects }) {
    const [userId, price, hash, key] = z.tuple([
      z.string(),
      z.number(),
      z.string(),
      z.string().nullable(),
    ]).parse(values);
    const answer = answered.parse(rows);
    const error = refused.safeParse(answer).data?.error;
    effects.push(queueing(userId, { price, hash, key }, error ?? queuedVideo.parse(answer)));
  },

  queue_videos({ values, rows }, { effects }) {
    const orders = z.array(z.object({
      userId: z.string(),
      price: z.number(),
      hash: z.string(),
      key: z.string().nullable(),
    })).parse(values);
    const answers = z.array(z.union([
      z.object({ video: queuedVideo }).transform(({ video }) => video),
      z.object({ error: z.object({ code: z.string() }) }).transform(({ error }) => error.code),
      z.object({ busy: z.literal(true) }).transform(() => null),
    ])).parse(answered.parse(rows));
    expect("Answers", answers.length, orders.length);
    orders.forEach(({ userId, ...order }, at) => {
      const answer = answers[at] ?? null;
      const isFirst = orders.findIndex((one) => one.userId === userId) === at;
      if (!isFirst) effects.push(secondOrder(userId, answer));
      else effects.push(answer === null ? passedOver(userId) : queueing(userId, order, answer));
    });
  },

  cancel_video({ values, rows }, { effects }) {
    const [userId, videoId] = z.tuple([z.string(), z.string()]).parse(values);
    const answer = answered.parse(rows);
    const found = refused.safeParse(answer).data?.error ??
      z.object({ gems_refunded: z.number() }).parse(answer).gems_refunded;
    effects.push({
      userId,
      videoId,
      ways: [(model) => {
        const account = findAccount(model, userId);
        const video = account.videos.find((one) => one.id === videoId);
        expect("Cancelling", found, video && cancel(model, account, video));
      }],
    });
  },

  record_provider_events({ values, rows }, reading) {
    const [, id, hash] = z.tuple([z.string(), z.string(), z.string()]).rest(z.unknown()).parse(
      values,
    );
    const { events: [{ known, recorded }] } = z.object({
      events: z.tuple([z.object({ known: z.boolean(), recorded: z.boolean() })]),
    }).parse(answered.parse(rows));
    if (reading.locate(id) === undefined) return expect("Nobody's event known", known, false);
    onAttempt(reading, id, (model, { account, attempt }) => {
      expect("Event known", known, !account.gone);
      if (account.gone) return;
      expect("Event new", recorded, !model.events.includes(hash));
      if (!recorded) return;
      model.events.push(hash);
      ring(model, attempt);
    });
  },

  delete_user({ values: [id] }, { effects }) {
    const userId = z.string().parse(id);
    effects.push(onAccount(userId, (model) => {
      findAccount(model, userId).gone = true;
      model.happened.push("account deleted");
    }));
  },
};

/** What queueing did, by its answer: an error or a video. */
function queueing(
  userId: string,
  order: Order,
  answer: string | z.infer<typeof queuedVideo>,
): Effect {
  return onAccount(userId, (model) => {
    const account = findAccount(model, userId);
    const expected = orderOutcome(account, order);
    if (typeof answer === "string") return expect("Queueing", answer, expected);
    const { video_id, replayed } = answer;
    expect("Queueing", replayed ? video_id : "new", expected);
    if (!replayed) addVideo(model, account, video_id, order);
  });
}

/** One of each user is queued in a call. */
function secondOrder(userId: string, answer: unknown): Effect {
  return onAccount(userId, (model) => {
    expect("A second order", answer, findAccount(model, userId).gone ? "GM005" : null);
  });
}

/** Nothing, for another had this user in hand. */
function passedOver(userId: string): Effect {
  const never = () => {
    throw new Unexplained("A user was passed over whom nobody held");
  };
  return { ...onAccount(userId, never), passesOver: true };
}

function onAccount(userId: string, change: (model: Model) => void): Effect {
  return { userId, videoId: null, ways: [change] };
}
