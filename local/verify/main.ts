/**
 * `deno task verify`: holds the product to tools we did not write. The Supabase CLI pushes, advises,
 * lints, types and deploys; the Deno line of hosted Supabase runs every function. Prints a line a
 * check and exits 1 when one fails.
 *
 *   deno task verify [--write-types]
 *
 * With DATABASE_URL the database checks run in a database of their own on that server, which must
 * allow its user to create one; else in an embedded Postgres.
 */
import { taskArguments } from "../arguments.ts";
import { filesOutOfStep } from "../generate.ts";
import { onStopSignal } from "../signals.ts";
import { verifyAdvisors } from "./advisors.ts";
import { createScratchDatabase } from "./database.ts";
import { verifyDeploy } from "./deploy.ts";
import { HOSTED_DENO } from "./function_process.ts";
import { verifyFunctions } from "./functions.ts";
import { verifyLint } from "./lint.ts";
import { verifyMigrations } from "./migrations.ts";
import { fetchCli } from "./supabase_cli.ts";
import { createReport, type Report } from "./report.ts";
import { createScratch, type Scratch } from "./scratch.ts";
import { verifyTypes, writeTypes } from "./types.ts";
import { copyWorkspace } from "./workspace.ts";

type Group = (report: Report, scratch: Scratch) => Promise<void>;

const GROUPS: Readonly<Record<string, Group>> = {
  "generated files": verifyGenerated,
  database: verifyDatabase,
  deployment: async (report, scratch) => {
    await verifyDeploy(report, await copyWorkspace(scratch));
  },
  functions: async (report, scratch) => {
    await verifyFunctions(report, await copyWorkspace(scratch));
  },
};

if (import.meta.main) Deno.exit(await main());

/** Runs the groups at the same time and prints them one after the other. Returns the exit code. */
async function main(): Promise<number> {
  taskArguments("verify", ["--write-types"]);
  const scratch = await createScratch();
  const { cleanups } = scratch;
  onStopSignal(() => void cleanups.run().finally(() => Deno.exit(130)));
  try {
    console.log(`Supabase CLI ${await fetchCli()}, ${HOSTED_DENO}`);
    const running = Object.entries(GROUPS).map(([name, group]) => {
      const lines: string[] = [];
      const report = createReport((line) => lines.push(line));
      return { done: runGroup(name, group, report, scratch), lines, report };
    });
    for (const { done, lines } of running) {
      await done;
      for (const line of lines) console.log(line);
    }
    const counts = running.map(({ report }) => report.count());
    const passed = counts.reduce((sum, count) => sum + count.passed, 0);
    const failed = counts.reduce((sum, count) => sum + count.failed, 0);
    console.log(`${passed} passed, ${failed} failed`);
    return failed === 0 && passed > 0 ? 0 : 1;
  } finally {
    await cleanups.run();
  }
}

/** A group that can't even begin is a failed check; one that can says so only through its checks. */
async function runGroup(
  name: string,
  group: Group,
  report: Report,
  scratch: Scratch,
): Promise<void> {
  try {
    await group(report, scratch);
  } catch (error) {
    await report.check(`The checks of ${name} run`, () => Promise.reject(error));
  }
}

async function verifyGenerated(report: Report): Promise<void> {
  await report.check(
    "The pg-boss schema, each function's deno.json and docs/openapi.json are in step",
    async () => {
      return (await filesOutOfStep()).map((path) => `"${path}" is out of step: deno task generate`);
    },
  );
}

async function verifyDatabase(report: Report, scratch: Scratch): Promise<void> {
  const workspace = await copyWorkspace(scratch);
  const serverUrl = Deno.env.get("DATABASE_URL") || undefined;
  const database = await createScratchDatabase(scratch, serverUrl);
  if (!await verifyMigrations(report, database, workspace)) return;
  await verifyAdvisors(report, database, workspace);
  await verifyLint(report, database, workspace);
  if (Deno.args.includes("--write-types")) {
    report.info(`Wrote ${await writeTypes(database, workspace)}`);
  }
  await verifyTypes(report, database, workspace);
}
