/** What the local stack writes into the settings, and takes back. */
import { assertEquals } from "@std/assert";
import { applyLocalSetup } from "../../local/local_setup.ts";
import { type TestDatabase, withDatabase } from "../support/database.ts";

const apply = ({ url }: TestDatabase, sandboxesOnly: boolean, settings = {}) =>
  applyLocalSetup(url, {
    functionsUrl: "http://127.0.0.1:1/functions/v1",
    cronKey: "sb_secret_test",
    cronSeconds: null,
    sandboxesOnly,
    settings,
  });

const pace = async ({ rows }: TestDatabase) => {
  const [row] = await rows<{ poll_steps: number[]; quiet_percent: number }>(
    "select poll_steps, quiet_percent from app.settings",
  );
  return row;
};

const DEFAULTS = { poll_steps: [5, 10, 10, 15, 20, 30], quiet_percent: 120 };

Deno.test("a real provider is not asked at a sandbox's pace after a run with sandboxes", async () => {
  await withDatabase(async (database) => {
    await apply(database, true);
    assertEquals(await pace(database), { poll_steps: [1], quiet_percent: 0 });
    await apply(database, false);
    assertEquals(await pace(database), DEFAULTS);
  });
});

Deno.test("with a real provider the developer's own settings stay, and those of the start win", async () => {
  await withDatabase(async (database) => {
    await database.rows("update app.settings set poll_steps = '{2,4}'");
    await apply(database, false);
    assertEquals(await pace(database), { ...DEFAULTS, poll_steps: [2, 4] });
    await apply(database, false, { poll_steps: [1] });
    assertEquals(await pace(database), { ...DEFAULTS, poll_steps: [1] });
  });
});
