/**
 * All rows of a database, kept to be put back. A tenth of what it takes to drop the database and to copy
 * another one, and whoever is connected stays so.
 */
import type pg from "pg";
import { z } from "zod";

/** A database's rows, as statements that put them back. */
export interface Reel {
  readonly statements: string;
}

/** Tables with the columns that are not computed; a partition belongs to its parent. */
const TABLES = `
  select c.oid::regclass::text as name, string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  where c.relkind in ('r', 'p') and not c.relispartition
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  group by c.oid order by c.oid`;
const tables = z.array(z.object({ name: z.string(), columns: z.string() }));

const SEQUENCES = `
  select format('%I.%I', s.schemaname, s.sequencename) as name, coalesce(s.last_value, s.start_value)::text as at,
    s.last_value is not null as used
  from pg_sequences s`;
const sequences = z.array(z.object({ name: z.string(), at: z.string(), used: z.boolean() }));

/** Takes down what the database holds. */
export async function record(client: pg.Client): Promise<Reel> {
  const statements = ["begin", "set local session_replication_role = replica"];
  const filled: string[] = [];
  for (const { name, columns } of tables.parse((await client.query(TABLES)).rows)) {
    const { rows } = await client.query<{ json: string | null }>(
      `select json_agg(t)::text as json from (select ${columns} from ${name}) t`,
    );
    statements.push(`delete from ${name}`);
    const json = rows[0]?.json ?? null;
    if (json === null) continue;
    filled.push(
      `insert into ${name} (${columns}) overriding system value select ${columns} ` +
        `from json_populate_recordset(null::${name}, ${client.escapeLiteral(json)})`,
    );
  }
  for (const { name, at, used } of sequences.parse((await client.query(SEQUENCES)).rows)) {
    filled.push(`select setval(${client.escapeLiteral(name)}, ${at}, ${used})`);
  }
  return { statements: [...statements, ...filled, "commit"].join(";\n") };
}

/** Puts the rows back, in a database with the same tables. Nobody may be in the middle of anything there. */
export async function rewind(client: pg.Client, { statements }: Reel): Promise<void> {
  await client.query(statements);
}
