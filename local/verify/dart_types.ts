/**
 * Dart types of the tables that apps read. `supabase gen types --lang dart` starts a Dart program
 * for it, so that whoever works on the backend would need a Dart SDK; this needs the database
 * alone.
 */
import { z } from "zod";
import { withClient } from "../prepare.ts";

const columnSchema = z.object({
  table: z.string(),
  column: z.string(),
  /** As Postgres writes it, without its modifiers. */
  type: z.string(),
  nullable: z.boolean(),
  /**
   * The words that the column may hold, by its check or its comment, in that order; null where any
   * may.
   */
  words: z.array(z.string()).nullable(),
});

/** A column that an app may read. */
export type Column = z.infer<typeof columnSchema>;

/**
 * What signed-in users may read of `public`. A word list is a check of one column against an array,
 * or, where the row is checked as a whole, what the column's comment says: "One of this, that."
 */
const COLUMNS = `
select c.relname as table, a.attname as column, format_type(a.atttypid, null) as type,
  not a.attnotnull as nullable,
  coalesce((
    select array(
      select m.word[1]
      from regexp_matches(pg_get_constraintdef(k.oid), '''([^'']+)''::text', 'g') with ordinality m (word, at)
      order by m.at
    )
    from pg_constraint k
    where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]
      and pg_get_constraintdef(k.oid) like 'CHECK ((' || quote_ident(a.attname) || ' = ANY (ARRAY[''%'
  ), string_to_array(
    substring(col_description(c.oid, a.attnum) from '^One of ([a-z_, ]+)\\.'), ', '
  )) as words
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
  and has_column_privilege('authenticated', c.oid, a.attnum, 'select')
order by c.relname, a.attname`;

/** How JSON brings a type, and what Dart makes of it. */
interface DartType {
  readonly name: string;
  /** Reads a value that is there. */
  read(value: string): string;
}

const as = (name: string): DartType => ({ name, read: (value) => `${value} as ${name}` });

const TYPES: Readonly<Record<string, DartType>> = {
  bigint: as("int"),
  boolean: as("bool"),
  integer: as("int"),
  jsonb: as("Object"),
  numeric: as("num"),
  smallint: as("int"),
  text: as("String"),
  "timestamp with time zone": {
    name: "DateTime",
    read: (value) => `DateTime.parse(${value} as String)`,
  },
  uuid: as("String"),
  xid8: as("String"),
};

/** The file for apps, from the database at `url`. */
export async function dartTypes(url: string): Promise<string> {
  return await withClient(url, async (client) => {
    return renderDart(z.array(columnSchema).parse((await client.query(COLUMNS)).rows));
  });
}

/** The types of these columns. Throws for a type that it does not know how JSON brings. */
export function renderDart(columns: readonly Column[]): string {
  const tables = Map.groupBy(columns, ({ table }) => table);
  return [
    HEADER,
    ...columns.filter(({ words }) => words !== null).map(renderEnum),
    ...[...tables].map(([table, its]) => renderRow(table, its)),
  ].join("\n");
}

const HEADER = `// Made from the database by \`deno task verify --write-types\`; not edited by hand.

/// The tables of Gemreel that apps read. A row reads itself when it is asked, so that the same type is for
/// whole rows, for selected columns, and for the states that broadcasts and videos_since bring.
library;
`;

function renderEnum({ table, column, words }: Column): string {
  const name = pascal(`${table}_${column}`);
  const values = (words ?? []).map((word) => `  ${camel(word)}('${word}')`).join(",\n");
  return `/// The words of \`${table}.${column}\`.
enum ${name} {
${values};

  const ${name}(this.word);

  /// Throws where the database has a word that is newer than the app.
  factory ${name}.of(String word) => values.firstWhere((value) => value.word == word);

  /// As the database has it.
  final String word;
}
`;
}

function renderRow(table: string, columns: readonly Column[]): string {
  const name = `${pascal(table)}Row`;
  return `/// A row of \`${table}\`.
extension type const ${name}(Map<String, dynamic> json) {
${columns.map(renderColumn).join("\n")}
}
`;
}

function renderColumn({ table, column, type, nullable, words }: Column): string {
  const dart = words === null ? TYPES[type] : wordsType(pascal(`${table}_${column}`));
  if (dart === undefined) {
    throw new Error(`No Dart type is known for "${table}.${column}", ${type}`);
  }
  const value = `json['${column}']`;
  const getter = camel(column);
  if (!nullable) return `  ${dart.name} get ${getter} => ${dart.read(value)};`;
  const isCast = dart.read(value) === `${value} as ${dart.name}`;
  const read = isCast
    ? `${value} as ${dart.name}?`
    : `${value} == null ? null : ${dart.read(value)}`;
  return `  ${dart.name}? get ${getter} => ${read};`;
}

function wordsType(name: string): DartType {
  return { name, read: (value) => `${name}.of(${value} as String)` };
}

function camel(words: string): string {
  return words.replace(/[_-](\w)/g, (_, letter: string) => letter.toUpperCase());
}

function pascal(words: string): string {
  return camel(`_${words}`);
}
