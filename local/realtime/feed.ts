import pg from "pg";
import { z } from "zod";

/** One change of a row, or a message that SQL sent (an INSERT into realtime.messages). */
export interface Change {
  /** The table's oid. */
  readonly entity: number;
  readonly schema: string;
  readonly table: string;
  readonly type: "INSERT" | "UPDATE" | "DELETE";
  /** Null for DELETE. */
  readonly record: Readonly<Record<string, unknown>> | null;
  /** What the log holds of the row as it was: its key, or all of it. Null for INSERT. */
  readonly identity: Readonly<Record<string, unknown>> | null;
  readonly happenedAt: Date;
}

const row = z.object({
  entity: z.number(),
  schema: z.string(),
  table: z.string(),
  type: z.enum(["INSERT", "UPDATE", "DELETE"]),
  record: z.record(z.string(), z.unknown()).nullable(),
  identity: z.record(z.string(), z.unknown()).nullable(),
  happenedAt: z.date(),
});

/** Whose changes committed before we listened is waited for this long. Milliseconds. */
const WRITERS_PATIENCE_MS = 5_000;

/** What a feed is made with. */
export interface FeedOptions {
  readonly databaseUrl: string;
  /** The next changes, in the order they were made. The feed waits for it before it goes on. */
  readonly changed: (changes: readonly Change[]) => Promise<void>;
  /** The connection is gone; changes from now until the next `listen` are not heard of. */
  readonly lost: () => void;
  readonly log: (line: string) => void;
}

/**
 * What commits in the tables somebody listens to, read from the queue of local/sql/realtime.sql. It
 * connects when it is first asked to listen.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #heard = new Set<number>();
  #client: pg.Client | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #draining: Promise<void> | null = null;
  #wokenMeanwhile = false;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** From now on each change of the table is told. False when the table is not published. */
  listen(entity: number): Promise<boolean> {
    return this.#inTurn(async () => {
      const client = await this.#connection();
      if (this.#heard.has(entity)) return true;
      const { rows } = await client.query<{ published: boolean }>(
        "select realtime._listen(pg_backend_pid()::text, $1::oid) as published",
        [entity],
      );
      if (!rows[0]?.published) return false;
      await this.#outwaitWriters(client, entity);
      this.#heard.add(entity);
      return true;
    });
  }

  /** Hears of nothing any more, which makes writing cheap again. */
  silence(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#client === null || this.#heard.size === 0) return;
      this.#heard.clear();
      await this.#client.query(
        "delete from realtime._listeners where node = pg_backend_pid()::text",
      );
    });
  }

  /** Lets go of the database. */
  async close(): Promise<void> {
    await this.silence().catch(() => {});
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => {});
    await this.#draining;
  }

  /** One at a time, so that nobody listens while we fall silent. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #connection(): Promise<pg.Client> {
    if (this.#client) return this.#client;
    const client = new pg.Client({
      connectionString: this.#options.databaseUrl,
      application_name: "realtime",
    });
    client.on("error", () => {});
    client.on("notification", () => this.#wake());
    client.on("end", () => {
      if (this.#client !== client) return;
      this.#client = null;
      this.#heard.clear();
      this.#options.lost();
    });
    await client.connect();
    await client.query("listen realtime_standin");
    // What a stack that was killed left behind; and messages are kept for three days.
    await client.query(`
      with dead as (
        delete from realtime._listeners l
        where not exists (select from pg_stat_activity a where a.pid::text = l.node)
      ), unread as (
        delete from realtime._changes c
        where not exists (select from pg_stat_activity a where a.pid::text = c.node)
      )
      delete from realtime.messages m where m.inserted_at < now() - interval '3 days'`);
    this.#client = client;
    return client;
  }

  async #outwaitWriters(client: pg.Client, entity: number): Promise<void> {
    const writers = async () => {
      const { rows } = await client.query<{ writer: string }>(
        "select realtime._writers($1::oid) as writer",
        [entity],
      );
      return rows.map((row) => row.writer);
    };
    let left = await writers();
    const end = Date.now() + WRITERS_PATIENCE_MS;
    while (left.length > 0 && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      const now = await writers();
      left = left.filter((writer) => now.includes(writer));
    }
  }

  #wake(): void {
    this.#wokenMeanwhile = true;
    this.#draining ??= this.#drain()
      // When the database is gone, `lost` is told by the connection's end.
      .catch((error) => this.#options.log(`Realtime: ${Deno.inspect(error)}`))
      .finally(() => this.#draining = null);
  }

  async #drain(): Promise<void> {
    while (this.#wokenMeanwhile && this.#client) {
      this.#wokenMeanwhile = false;
      const { rows } = await this.#client.query(
        `with taken as (
           delete from realtime._changes c where c.node = pg_backend_pid()::text returning c.*
         )
         select t.entity::oid as entity, n.nspname as schema, k.relname as table, t.type,
           t.record, t.identity, t.happened_at as "happenedAt"
         from taken t
         join pg_class k on k.oid = t.entity
         join pg_namespace n on n.oid = k.relnamespace
         order by t.id`,
      );
      if (rows.length > 0) await this.#options.changed(rows.map((found) => row.parse(found)));
    }
  }
}
