/** docs/configuration.md names every setting with its default, and every variable. */
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "../../local/env.ts";
import * as known from "../../shared/providers/known.ts";
import { withDatabase } from "../support/database.ts";

const read = (path: string) => Deno.readTextFile(join(ROOT, path));
const doc = await read("docs/configuration.md");

/** The first two cells of each row of the table below a heading. */
function tableBelow(heading: string): string[][] {
  const [, after = ""] = doc.split(`\n${heading}\n`);
  const [table = ""] = after.trim().split("\n\n");
  const cells = table.split("\n").slice(2).map((line) => line.split("|").map((c) => c.trim()));
  return cells.map(([, name = "", value = ""]) => [name.replaceAll("`", ""), value]);
}

const asWritten = (value: unknown) => Array.isArray(value) ? `{${value.join()}}` : String(value);

Deno.test("configuration.md tells every column of app.settings and its default", async () => {
  await withDatabase(async (database) => {
    const rows = await database.rows<{ settings: Record<string, unknown> }>(
      "select to_jsonb(s) - 'only_row' as settings from app.settings s",
    );
    const settings = Object.entries(rows[0]?.settings ?? {});
    const told = Object.fromEntries(tableBelow("### `app.settings`"));
    assertEquals(
      told,
      Object.fromEntries(settings.map(([name, value]) => [name, asWritten(value)])),
    );
  });
});

Deno.test("configuration.md tells every variable that the functions read", async () => {
  const sources = ["shared/config.ts", "shared/notify/config.ts"];
  const texts = await Promise.all(sources.map(read));
  const literals = texts.join("\n").matchAll(/\("([A-Z]+(?:_[A-Z]+)+)"|, "([A-Z]+(?:_[A-Z]+)+)"/g);
  const names = new Set([...literals].map(([, first, second]) => first ?? second ?? ""));
  assert(names.size > 15, [...names].join());
  for (const provider of Object.keys(known)) {
    for (const last of ["API_KEY", "URL", "MEDIA_HOSTS"]) {
      names.add(`${provider.toUpperCase()}_${last}`);
    }
  }
  const missing = [...names].filter((name) =>
    !name.startsWith("SUPABASE_") && !doc.includes(`\`${name}\``)
  );
  assertEquals(missing, []);
});
