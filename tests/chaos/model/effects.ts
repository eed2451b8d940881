/** From calls that were heard to what each must have done in the model. */
import { z } from "zod";
import type { QueueJob } from "../../../shared/db/queue.ts";
import { DOORS } from "./door_effects.ts";
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
import {
  answered,
  type Locate,
  onAttempt,
  type Reader,
  type Reading,
  type Told,
} from "./reading.ts";
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

/** Which row and round a worker's queue job stands for, learned when it was given out. */
const tickets = new WeakMap<object, Ticket>();

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

const changes = z.array(z.object({ video_job_id: z.string(), result: z.string() }));
const ids = z.array(z.string());
const fromJson = z.string().transform((text): unknown => JSON.parse(text));

const outcomes = fromJson.pipe(z.array(z.object({
  video_job_id: z.string(),
  outcome: z.enum(["accepted", "failed", "held", "unknown"]),
  code: z.string().optional(),
  delay_seconds: z.number().nullish(),
})));
const settlements = fromJson.pipe(z.array(z.object({
  video_job_id: z.string(),
  state: z.enum(["succeeded", "processing", "unanswered", "missing", "failed"]),
  code: z.string().optional(),
  kind: z.string().optional(),
  progress: z.number().optional(),
  retry_seconds: z.number().nullish(),
  leased_at: z.string().optional(),
})));
/** When it was leased, by the story's clock: that one moves in steps of ten seconds, and a story takes less. */
function leasedAt(at: string | undefined, { now }: Model): { leasedAt?: number } {
  if (at === undefined) return {};
  const seconds = (Date.now() - new Date(at).getTime()) / 1_000;
  return { leasedAt: now - Math.floor(seconds / 10) * 10 };
}

/** How each of our SQL functions is read. Those that change nothing are not here. */
const SQL: Record<string, Reader> = {
  ...DOORS,

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
      const answer = started.get(id) ?? "over";
      onAttempt(reading, id, (model, place) => {
        expect(`Claim by ${node}`, answer, work.claim(model, place, node));
      }, { passesOver: answer === "busy" });
    }
  },

  record_submissions({ values, rows }, reading) {
    const [said, node] = z.tuple([outcomes, z.string(), z.string().nullable()]).parse(values);
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
    const [said] = z.tuple([settlements, z.string()]).parse(values);
    const results = new Map(changes.parse(rows).map((row) => [row.video_job_id, row.result]));
    for (const one of said) {
      onAttempt(reading, one.video_job_id, (model, place) => {
        const lease = leasedAt(one.leased_at, reading.before);
        const result = work.settle(model, place, { ...one, ...lease });
        const found = results.get(one.video_job_id) ?? null;
        expect(`Settling ${one.state}`, found, result === "lost" ? null : result);
      });
    }
  },

  start_storing({ values, rows }, reading) {
    const [jobIds] = z.tuple([ids]).parse(values);
    const started = new Map(
      z.array(z.object({ video_job_id: z.string(), started: z.boolean() })).parse(rows)
        .map((row) => [row.video_job_id, row.started]),
    );
    for (const id of jobIds) {
      const passesOver = started.get(id) === false;
      onAttempt(reading, id, (_model, place) => {
        if (passesOver) throw new Unexplained("A video was passed over that nobody held");
        expect("Wanted for storing", started.has(id), work.startStoring(place));
      }, { passesOver });
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
};
