/**
 * Listens at the workers' ports: every call of our SQL functions and of the queue that was committed,
 * with its arguments and its answer. Can also stop one side in the middle of a transaction, so that
 * two sides overlap where a story says and not where chance would have it.
 */
import type { Database, Sql } from "../../../shared/db/database.ts";
import type { QueueJob, WorkQueue } from "../../../shared/db/queue.ts";
import type { TaskState } from "../../../shared/providers/provider.ts";
import type { QueueName } from "./state.ts";

/** One call, as the database answered it. */
export type Heard =
  | { call: "sql"; name: string; values: readonly unknown[]; rows: Record<string, unknown>[] }
  | { call: "fetch"; queue: QueueName; most: number; jobs: QueueJob[] }
  | { call: "complete" | "handBack"; queue: QueueName; jobs: readonly QueueJob[] }
  | { call: "supervise" }
  /** The recorded webhooks of some attempts, the newest first. */
  | { call: "recalled"; rows: Record<string, unknown>[] }
  /** What the provider answered about the attempts that were last due. */
  | { call: "told"; states: readonly TaskState[]; due: Record<string, unknown>[] };

/** What one side of a step did, in the order in which it was committed, and with which commit. */
export type Transcript = (Heard & { readonly commit: number })[];

/** A port with an ear on it. */
export interface Ear {
  readonly database: Database;
  readonly queue: WorkQueue;
  /** What was heard since the last time. */
  take(): Transcript;
  /** The provider answers what this worker asked. */
  tell(states: readonly TaskState[]): void;
  /** Stops at the crossing of this number, counted from 0, before a statement or a commit. */
  pauseAt(crossing: number): Pause;
}

/** One side, stopped in the middle. */
export interface Pause {
  /** Settles when it has stopped. */
  readonly reached: Promise<void>;
  resume(): void;
}

const OURS = /\b(?:app|public)\.(\w+)\(/;
const EVENTS = /^select .* from public\.provider_events\b/s;

function inStories(queue: string): QueueName {
  if (queue === "submit-runware" || queue === "store-video") return queue;
  throw new Error(`The stories know nothing of the queue "${queue}"`);
}

/** Puts an ear on a worker's database and queue. */
export function listen(database: Database, openQueue: (database: Database) => WorkQueue): Ear {
  let transcript: Transcript = [];
  let commits = 0;
  const commit = (heard: readonly Heard[]) => {
    commits += 1;
    for (const one of heard) transcript.push({ ...one, commit: commits });
  };
  let crossing = 0;
  let pause: { at: number; reach: () => void; resumed: Promise<void> } | undefined;
  const notes = new WeakMap<Sql, Heard[]>();
  let due: Record<string, unknown>[] = [];

  const cross = async () => {
    const here = pause;
    if (here === undefined || crossing++ !== here.at) return;
    pause = undefined;
    here.reach();
    await here.resumed;
  };

  const heardSql = (sql: Sql, heard: Heard[]): Sql => {
    const listening: Sql = {
      async query(text, values = []) {
        await cross();
        const rows = await sql.query(text, values);
        const name = OURS.exec(text)?.[1];
        if (name !== undefined) heard.push({ call: "sql", name, values, rows });
        if (name === "due_polls") due = rows;
        return rows;
      },
    };
    notes.set(listening, heard);
    return listening;
  };

  const ported: Database = {
    async query(text, values) {
      // One of ours alone is a transaction, too: there it can be stopped before its commit.
      if (OURS.test(text)) return await ported.transaction((sql) => sql.query(text, values));
      const rows = await heardSql(database, []).query(text, values);
      if (EVENTS.test(text)) commit([{ call: "recalled", rows }]);
      return rows;
    },
    async transaction(work) {
      let heard: Heard[] = [];
      const result = await database.transaction(async (sql) => {
        // A transaction that Postgres ended starts anew; what was heard of the first did not happen.
        heard = [];
        const value = await work(heardSql(sql, heard));
        await cross();
        return value;
      });
      commit(heard);
      return result;
    },
    close: () => database.close(),
  };

  const queue = openQueue(ported);
  const note = (sql: Sql, heard: Heard) => {
    const transaction = notes.get(sql);
    if (transaction === undefined) commit([heard]);
    else transaction.push(heard);
  };
  return {
    database: ported,
    queue: {
      ...queue,
      async fetch(sql, name, most) {
        const jobs = await queue.fetch(sql, name, most);
        note(sql, { call: "fetch", queue: inStories(name), most, jobs });
        return jobs;
      },
      async complete(sql, name, jobs) {
        await queue.complete(sql, name, jobs);
        note(sql, { call: "complete", queue: inStories(name), jobs });
      },
      async retryLater(sql, name, jobs, reason) {
        await queue.retryLater(sql, name, jobs, reason);
        note(sql, { call: "handBack", queue: inStories(name), jobs });
      },
      async supervise() {
        await queue.supervise();
        commit([{ call: "supervise" }]);
      },
    },
    take() {
      const heard = transcript;
      transcript = [];
      return heard;
    },
    tell(states) {
      commit([{ call: "told", states, due }]);
    },
    pauseAt(at) {
      const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
      const { promise: resumed, resolve: resume } = Promise.withResolvers<void>();
      crossing = 0;
      pause = { at, reach, resumed };
      return {
        reached,
        resume() {
          pause = undefined;
          resume();
        },
      };
    },
  };
}
