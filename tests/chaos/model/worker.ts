/**
 * A worker by name, running the product's own stages. It stops wherever it waits for the outside (the
 * provider's answer, Storage) and stays there, with what it holds, until the story goes on with it.
 */
import { z } from "zod";
import type { Database } from "../../../shared/db/database.ts";
import type { VideoProvider } from "../../../shared/providers/provider.ts";
import { createLog } from "../../../shared/log.ts";
import { pollProvider } from "../../../shared/stages/poll.ts";
import { storeBatch } from "../../../shared/stages/store.ts";
import { submitToProvider } from "../../../shared/stages/submit.ts";
import type { WorkerTools } from "../../../shared/stages/worker_tools.ts";
import { MediaError } from "../../../shared/storage/media_fetch.ts";
import { statesIn } from "./webhooks.ts";
import type { Ear } from "./ear.ts";
import type { Fate, Provider, Word } from "./provider.ts";

const settlements = z.string().transform((text): unknown => JSON.parse(text)).pipe(
  z.array(z.looseObject({ video_job_id: z.string(), leased_at: z.string().optional() })),
);

/** Kinds of work that have a wait in the middle. */
export const JOBS = ["submit", "poll", "store"] as const;
/** Kinds of work that have a wait in the middle. */
export type Job = typeof JOBS[number];

/** What becomes of a copy. */
export const COPIES = ["stored", "failed", "too large"] as const;
/** What becomes of a copy. */
export type Copy = typeof COPIES[number];

/** How the outside answers: item by item, from the start again when there are more; copies all alike. */
export interface Answers {
  readonly fates: readonly Fate[];
  readonly words: readonly Word[];
  readonly copy: Copy;
  /** The provider takes what it is handed, and its answer is on its way for as long as the story likes. */
  readonly late?: boolean;
}

/** A worker in the middle of something. */
interface Waiting {
  readonly job: Job;
  /** The name under which it took them. */
  readonly node: string;
  /** Attempts it waits for. */
  readonly ids: readonly string[];
  readonly gate: Gate;
  /** The outside has been asked, and only its answer is waited for. */
  readonly isAsked: boolean;
  readonly done: Promise<unknown>;
}

/** A worker. */
export interface Worker {
  readonly name: string;
  readonly ear: Ear;
  readonly waiting: Waiting | null;
  /** Takes work and goes on to where it must wait. */
  begin(job: Job): Promise<void>;
  /** Goes on with what it was told: to the end, or to where it waits once more. */
  goOn(answers: Answers): Promise<void>;
  /**
   * Forgets all it holds. What the outside would have told it is told nobody; "asked": though the outside
   * has done it. Answers that in words.
   */
  crash(when: "asked" | "not asked"): { said: string };
}

/** What all workers share: the outside world. */
export interface Outside {
  readonly provider: Provider;
  readonly choosesTaskId: boolean;
  /** The story's own time, in seconds. */
  readonly now: () => number;
  readonly mediaHost: string;
  /** Paths in Storage, with how often each was written. */
  readonly objects: Map<string, number>;
  /** Lines that workers logged as errors: what another guard has caught, and no state tells of. */
  readonly errors: string[];
}

/** Makes a worker that stands idle. */
export function newWorker(name: string, ear: Ear, outside: Outside): Worker {
  let waiting: Waiting | null = null;
  let rounds = 0;
  const log = createLog({}, (line) => {
    if (line.startsWith('{"level":"error"')) outside.errors.push(line);
  });

  /** Runs a stage until it is over or waits at `gate`. */
  const run = async (job: Job, stage: (gate: Gate, tools: WorkerTools) => Promise<unknown>) => {
    const node = `${name}${++rounds}`;
    const gate = openGate(node, job === "submit" ? openGate(node, null) : null);
    const { queue } = ear;
    const database = withStoryTime(ear.database, outside.now);
    const done = stage(gate, { database, queue, node, log });
    const isOver = await Promise.race([done.then(() => true), gate.reached.then(() => false)]);
    waiting = isOver ? null : { job, node, ids: gate.ids, gate, isAsked: false, done };
  };

  return {
    name,
    ear,
    get waiting() {
      return waiting;
    },
    begin(job) {
      return run(job, (gate, tools) => {
        switch (job) {
          case "submit":
            return submitToProvider(
              tools,
              facade(outside, gate, ear),
              async ({ video_job_id, model }) => {
                // Here a worker may freeze for as long as a story likes, before it looks for the last time
                // whether the attempt is still its own. How long the call itself takes is bounded.
                gate.ids.push(video_job_id);
                gate.reach();
                await gate.opened;
                return { id: video_job_id, model, prompt: "A star", durationSeconds: 5 };
              },
              {
                clock: {
                  wall: () => outside.now() * 1_000,
                  steady: () => outside.now() * 1_000,
                },
              },
            );
          case "poll":
            return pollProvider(tools, facade(outside, gate, ear));
          case "store":
            return storeBatch(
              tools,
              new Map([["runware", facade(outside, gate, ear)]]),
              { put: (path, body) => put(outside, gate, path, body) },
            );
        }
      });
    },
    async goOn(answers) {
      if (waiting === null) return;
      const { gate: { open, later }, done, ...rest } = waiting;
      waiting = null;
      open(answers);
      if (later === null) return void await done;
      const isOver = await Promise.race([done.then(() => true), later.reached.then(() => false)]);
      waiting = isOver ? null : { ...rest, gate: later, isAsked: true, done };
    },
    crash(when) {
      const { job, node, ids, isAsked } = waiting ??
        { job: "poll", node: "", ids: [], isAsked: false };
      waiting = null;
      if (when === "not asked" || isAsked || job === "poll") return { said: "" };
      for (const id of ids) {
        if (job === "submit") outside.provider.handOver(id, node, "taken");
        else if (!outside.objects.has(id)) outside.objects.set(id, 1);
      }
      return { said: job === "submit" ? " with the tasks sold" : " with the file stored" };
    },
  };
}

/**
 * Lets the times that a worker remembers pass like those in the rows, which a story moves into the past:
 * when it leased an attempt.
 */
function withStoryTime(database: Database, now: () => number): Database {
  const leased = new Map<unknown, number>();
  return {
    ...database,
    async query(text, values = []) {
      if (text.includes("settle_video_jobs")) {
        const [said, ...more] = values;
        const aged = JSON.stringify(settlements.parse(said).map(age));
        return await database.query(text, [aged, ...more]);
      }
      const rows = await database.query(text, values);
      if (text.includes("due_polls")) {
        for (const row of rows) leased.set(row["video_job_id"], now());
      }
      return rows;
    },
  };

  function age(record: z.infer<typeof settlements>[number]) {
    const then = leased.get(record.video_job_id);
    if (record.leased_at === undefined || then === undefined) return record;
    const leased_at = new Date(record.leased_at).getTime() - (now() - then) * 1_000;
    return { ...record, leased_at: new Date(leased_at) };
  }
}

/** Where a stage waits for the story to go on. */
interface Gate {
  readonly node: string;
  readonly ids: string[];
  /** Settles when the stage waits. */
  readonly reached: Promise<void>;
  reach(): void;
  readonly opened: Promise<Answers>;
  open(answers: Answers): void;
  /** Where it may wait once more. */
  readonly later: Gate | null;
}

function openGate(node: string, later: Gate | null): Gate {
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const { promise: opened, resolve: open } = Promise.withResolvers<Answers>();
  return { node, ids: [], reached, reach, opened, open, later };
}

/** The provider as one worker sees it during one round. */
function facade(
  { provider, choosesTaskId, mediaHost }: Outside,
  gate: Gate,
  ear: Ear,
): VideoProvider {
  return {
    name: "runware",
    choosesTaskId,
    callsBack: true,
    submitBatch: 4,
    pollBatch: 20,
    mediaHosts: [mediaHost],
    async submit(tasks) {
      const { fates, late = false } = await gate.opened;
      const outcomes = tasks.map(({ id }, index) =>
        provider.handOver(id, gate.node, pick(fates, index))
      );
      if (late && gate.later !== null) {
        gate.later.reach();
        await gate.later.opened;
      }
      return outcomes;
    },
    async poll(ids) {
      gate.ids.push(...ids);
      const then = new Map(ids.map((id) => [id, provider.stateOf(id)]));
      gate.reach();
      const { words } = await gate.opened;
      const states = ids.flatMap((id, index) => {
        const state = {
          "truth": provider.stateOf(id),
          "old truth": then.get(id),
          "forgotten": provider.missing(id),
          "silence": undefined,
        }[pick(words, index)];
        return state ?? [];
      });
      ear.tell(states);
      return states;
    },
    parseEvent: statesIn,
    balanceUsd: () => Promise.resolve(100),
  };
}

async function put(
  { objects }: Outside,
  gate: Gate,
  path: string,
  body: ReadableStream<Uint8Array>,
): Promise<"stored" | "exists"> {
  await body.pipeTo(new WritableStream());
  gate.ids.push(path);
  gate.reach();
  const { copy } = await gate.opened;
  switch (copy) {
    case "stored":
      if (objects.has(path)) return "exists";
      objects.set(path, 1);
      return "stored";
    case "failed":
      throw new Error("Storage answered 500");
    case "too large":
      throw new MediaError("too_large", "The file is larger than it may be");
  }
}

function pick<T>(list: readonly T[], index: number): T {
  const item = list[index % list.length];
  if (item === undefined) throw new Error("The list of answers is empty");
  return item;
}
