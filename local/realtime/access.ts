/** Who may hear what, asked of the database with the role and claims of whoever listens. */
import pg from "pg";
import { z } from "zod";
import type { Change } from "./feed.ts";
import { type Filter, type Interest, InterestError } from "./filters.ts";

/** A listener, as policies see one. */
export interface Listener {
  readonly role: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Columns of a table that a role may read. */
export interface Shape {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly keys: readonly { readonly name: string; readonly type: string }[];
  /** Whether the role may read the whole key; without it nothing is told. */
  readonly keysReadable: boolean;
  readonly rls: boolean;
}

const columns = z.array(z.object({ name: z.string(), type: z.string() }));
const shape = z.object({
  columns,
  keys: columns,
  keysReadable: z.boolean(),
  rls: z.boolean(),
});

/** What the server asks its database. */
export class Access {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** Whether policies on realtime.messages let a listener receive a topic's broadcasts. */
  async mayReceive(listener: Listener, topic: string): Promise<boolean> {
    return await this.#probe(listener, topic, async (client) => {
      const id = crypto.randomUUID();
      await client.query(
        "insert into realtime.messages (id, topic, extension) values ($1, $2, 'broadcast')",
        [id, topic],
      );
      await become(client, listener, topic);
      const { rowCount } = await client.query("select from realtime.messages where id = $1", [id]);
      return rowCount === 1;
    });
  }

  /** Whether policies on realtime.messages let a listener send to a topic. */
  async maySend(listener: Listener, topic: string): Promise<boolean> {
    return await this.#probe(listener, topic, async (client) => {
      await become(client, listener, topic);
      await client.query(
        "insert into realtime.messages (topic, extension) values ($1, 'broadcast')",
        [topic],
      );
      return true;
    });
  }

  /** The oid of a table. */
  async oidOf(table: string): Promise<number> {
    const { rows } = await this.#pool.query<{ oid: number }>("select $1::regclass::oid as oid", [
      table,
    ]);
    return rows[0]?.oid ?? 0;
  }

  /** The oids of the published tables an interest names. Throws `InterestError`. */
  async tablesOf(listener: Listener, interest: Interest): Promise<number[]> {
    const { rows } = await this.#pool.query<{ oid: number }>(
      `select format('%I.%I', t.schemaname, t.tablename)::regclass::oid as oid
       from pg_publication_tables t
       where t.pubname = 'supabase_realtime' and t.schemaname = $1::text and $2::text in (t.tablename::text, '*')`,
      [interest.schema, interest.table],
    );
    if (rows.length === 0) {
      const { schema, table } = interest;
      throw new InterestError(
        `Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given connect parameters: [schema: ${schema}, table: ${table}]`,
      );
    }
    for (const { oid } of rows) await this.#checkFilters(listener, interest, oid);
    return rows.map((row) => row.oid);
  }

  /** The columns of a table that a role may read. */
  async shapeOf(entity: number, role: string): Promise<Shape> {
    const { rows } = await this.#pool.query(
      `select c.relrowsecurity as rls,
         coalesce(jsonb_agg(jsonb_build_object('name', a.attname, 'type', t.typname) order by a.attnum)
           filter (where a.readable), '[]') as columns,
         coalesce(jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, null)))
           filter (where a.key), '[]') as keys,
         coalesce(bool_and(a.readable) filter (where a.key), false) as "keysReadable"
       from pg_class c
       cross join lateral (
         select a.attname, a.attnum, a.atttypid, has_column_privilege($2, c.oid, a.attnum, 'select') as readable,
           exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey)) as key
         from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       ) a
       join pg_type t on t.oid = a.atttypid
       where c.oid = $1
       group by c.oid, c.relrowsecurity`,
      [entity, role],
    );
    return shape.parse(rows[0]);
  }

  /** Whether a row passes all filters. */
  async passes(change: Change, filters: readonly Filter[]): Promise<boolean> {
    const { rows } = await this.#pool.query<{ passes: boolean }>(
      `select coalesce(bool_and(realtime._matches($1::oid, $2, f.value)), true) as passes
       from jsonb_array_elements($3) f`,
      [
        change.entity,
        JSON.stringify(change.record ?? change.identity),
        JSON.stringify(filters),
      ],
    );
    return rows[0]?.passes ?? false;
  }

  /** Whether row-level security shows a listener the row as it is now. */
  async sees(listener: Listener, change: Change, { keys }: Shape): Promise<boolean> {
    return await this.#probe(listener, "", async (client) => {
      const table = `${pg.escapeIdentifier(change.schema)}.${pg.escapeIdentifier(change.table)}`;
      const same = keys.map(({ name, type }, at) =>
        `t.${pg.escapeIdentifier(name)} = $${at + 1}::text::${type}`
      );
      await become(client, listener, "");
      const { rowCount } = await client.query(
        `select from ${table} t where ${same.join(" and ")}`,
        keys.map(({ name }) => String(change.record?.[name])),
      );
      return rowCount === 1;
    });
  }

  async #checkFilters(listener: Listener, { filters, select }: Interest, oid: number) {
    const { columns } = await this.shapeOf(oid, listener.role);
    const readable = (name: string) => columns.some((column) => column.name === name);
    for (const { column } of filters) {
      if (!readable(column)) throw new InterestError(`invalid column for filter ${column}`);
    }
    for (const column of select ?? []) {
      if (!readable(column)) throw new InterestError(`invalid column for select ${column}`);
    }
    for (const filter of filters) {
      try {
        await this.#pool.query("select realtime._matches($1::oid, $2, $3)", [
          oid,
          JSON.stringify({ [filter.column]: null }),
          JSON.stringify(filter),
        ]);
      } catch (error) {
        throw new InterestError(error instanceof Error ? error.message : String(error));
      }
    }
  }

  /** Runs `work` in a transaction that is undone. What the database refuses is a no. */
  async #probe(
    listener: Listener,
    topic: string,
    work: (client: pg.PoolClient) => Promise<boolean>,
  ): Promise<boolean> {
    const client = await this.#pool.connect();
    let broken: Error | boolean = false;
    try {
      await client.query("begin");
      return await work(client);
    } catch (error) {
      if (error instanceof pg.DatabaseError) return false;
      broken = true;
      throw new Error(`Could not ask for the rights of ${listener.role} on "${topic}"`, {
        cause: error,
      });
    } finally {
      await client.query("rollback").catch(() => broken = true);
      client.release(broken);
    }
  }
}

async function become(client: pg.PoolClient, { role, claims }: Listener, topic: string) {
  await client.query(
    `select set_config('role', $1, true), set_config('request.jwt.claims', $2, true),
       set_config('request.jwt.claim.sub', $3, true), set_config('realtime.topic', $4, true)`,
    [role, JSON.stringify(claims), String(claims["sub"] ?? ""), topic],
  );
}
