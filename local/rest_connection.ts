import { createPostgresConnection, type PostgresConnection } from "@supabase/lite/postgres";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { createPool } from "./pool.ts";

const MAX_CONNECTIONS = 10;

/**
 * The REST library's way to the database at `databaseUrl`, over `pg`. Its own driver, postgres.js,
 * never settles what was under way when Postgres died and throws outside of any call (3.4.9, issues
 * 1186 and 1208 at github.com/porsager/postgres).
 */
export function createRestConnection(databaseUrl: string): PostgresConnection {
  // The driver in here is asked for nothing, and so opens nothing.
  const connection = createPostgresConnection({ url: databaseUrl });
  const pool = createPool(databaseUrl, {
    name: "rest",
    max: MAX_CONNECTIONS,
    options: "-c TimeZone=UTC",
    types: { getTypeParser: parserOf },
  });
  connection.kysely = new Kysely({ dialect: new PostgresDialect({ pool }) });
  connection.close = () => pool.end();
  lookOnce(connection);
  // On its first request the library grants ALL on every table to anon and authenticated. That
  // would undo the grants of our migrations and hide their faults; "active" makes it believe it
  // has.
  Reflect.set(connection, "rlsState", "active");
  return connection;
}

type Catalogue = Awaited<ReturnType<PostgresConnection["introspect"]>>;

/**
 * The schemas that are served. The library walks through the columns of all it was told of, at each
 * request.
 */
const SERVED = new Set(["public", "auth", "storage"]);

/**
 * Reads the catalogue once for all requests that wait for it; left alone, each of them would read
 * it.
 */
function lookOnce(connection: PostgresConnection): void {
  const look = connection.introspect.bind(connection);
  const trimmed = new WeakSet<Catalogue>();
  let looking: Promise<Catalogue> | undefined;
  const lookAndTrim = async (options?: { useCache?: boolean }) => {
    const catalogue = await look(options);
    if (!trimmed.has(catalogue)) {
      catalogue.columns = catalogue.columns.filter(({ schema }) => SERVED.has(schema ?? "public"));
      trimmed.add(catalogue);
    }
    return catalogue;
  };
  connection.introspect = (options) =>
    looking ??= lookAndTrim(options).finally(() => looking = undefined);
}

/** How values arrive in JSON: as PostgREST has Postgres write them. */
const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  [pg.types.builtins.INT8]: jsonNumber,
  [pg.types.builtins.NUMERIC]: jsonNumber,
  [pg.types.builtins.DATE]: asIs,
  [pg.types.builtins.TIME]: asIs,
  [pg.types.builtins.TIMETZ]: asIs,
  [pg.types.builtins.TIMESTAMP]: isoTime,
  [pg.types.builtins.TIMESTAMPTZ]: isoTime,
};

/** `pg` reads text[] and not name[]; their numbers in pg_type. */
const READ_AS: Readonly<Record<number, number>> = { 1003: 1009 };

function parserOf(oid: number, format?: "text" | "binary") {
  return PARSERS[oid] ?? pg.types.getTypeParser(READ_AS[oid] ?? oid, format);
}

function asIs(text: string): string {
  return text;
}

/**
 * The number that a reader of JSON makes of the digits. An integer that no double holds keeps its
 * digits as text; NaN and the infinities are text in PostgREST, too.
 */
function jsonNumber(text: string): number | string {
  const number = Number(text);
  if (!Number.isFinite(number)) return text;
  return text.includes(".") || String(number) === text ? number : text;
}

/** ISO 8601, as to_json writes it: a T, and an offset with minutes. An infinity stays a word. */
function isoTime(text: string): string {
  return text.replace(" ", "T").replace(/[+-]\d\d(?= BC$|$)/, "$&:00");
}
