import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { readOpenapi } from "../support/openapi.ts";

const read = (path: string) =>
  Deno.readTextFile(fileURLToPath(new URL(`../../${path}`, import.meta.url)));

const all = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, one = ""]) => one);

/** The columns of a table, from the types that `supabase gen types` made. */
function columnsOf(types: string, table: string): string[] {
  const [, row = ""] = new RegExp(`"${table}": \\{\\s*Row: \\{([^}]*)\\}`).exec(types) ?? [];
  return all(row, /"(\w+)":/g);
}

// There is no Dart SDK here: this is what can be held to the truth without one.
Deno.test("the Dart of docs/mobile.md names columns, functions and fields that exist", async () => {
  const dart = await read("docs/mobile/gemreel.dart");
  const types = await read("shared/db/database.types.ts");
  const judge = await readOpenapi();

  const tables = all(dart, /\.from\('(\w+)'\)/g);
  assertEquals(new Set(tables), new Set(["videos", "video_progress"]));
  const columns = tables.flatMap((table) => columnsOf(types, table));
  const named = all(dart, /\.(?:eq|order)\('(\w+)'/g);
  assertEquals(named.filter((column) => !columns.includes(column)), []);
  // Which of the two is meant without saying so differs between versions of supabase_flutter.
  assertEquals(all(dart, /\.(order)\('/g).length, all(dart, /'(, ascending: false)\)/g).length);

  const getters = all(await read("docs/mobile/database.dart"), / get (\w+) =>/g);
  const used = all(dart, /\b(?:video|shown|row|b|rows\.last|Progress\(rows\.first\))\.(\w+)/g);
  assert(used.length > 8);
  assertEquals(used.filter((getter) => !getters.includes(getter)), []);
  for (const rpc of all(dart, /\.rpc<[^(]*>\(\s*'(\w+)'/g)) {
    assert(types.includes(`"${rpc}": {`), rpc);
  }
  const functions = all(dart, /_call\(\s*'([\w-]+)'/g);
  assertEquals(functions.length, 3);
  assertEquals(functions.filter((name) => !judge.paths.includes(name)), []);
  const document = await read("docs/openapi.json");
  for (const field of all(dart, /answer\['(\w+)'\]|link\('(\w+)'\)/g)) {
    if (field !== "") assert(document.includes(`"${field}": {`), field);
  }
});
