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

/** The body of a class. */
const classOf = (dart: string, name: string) =>
  new RegExp(`class ${name} \\{(.*?)\\n\\}`, "s").exec(dart)?.[1] ?? "";

// There is no Dart SDK here: this is what can be held to the truth without one.
Deno.test("the Dart of docs/mobile.md names columns, functions and fields that exist", async () => {
  const dart = await read("docs/mobile/gemreel.dart");
  const types = await read("shared/db/database.types.ts");
  const judge = await readOpenapi();

  for (const [name, table] of [["Video", "videos"], ["Progress", "video_progress"]] as const) {
    const used = all(classOf(dart, name), /json\['(\w+)'\]/g);
    assert(used.length > 2, name);
    const columns = columnsOf(types, table);
    assertEquals(used.filter((column) => !columns.includes(column)), [], table);
  }
  for (const table of all(dart, /\.from\('(\w+)'\)/g)) assert(columnsOf(types, table).length > 0);
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
