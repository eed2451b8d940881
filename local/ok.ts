/**
 * `deno task ok`: the gate before a commit. Runs its steps in order and stops at the first that fails,
 * with exit code 1. With `--no-tests`, as CI calls it beside the tests, it ends with "N passed, N failed".
 */
import { inParallel } from "../shared/in_parallel.ts";
import { taskArguments } from "./arguments.ts";
import { ROOT } from "./env.ts";
import { filesOutOfStep } from "./generate.ts";
import { runCommand } from "./verify/command.ts";
import { functionNames, functionPaths } from "./verify/import_graph.ts";

/** One step; false when it failed, having said why. */
interface Step {
  readonly name: string;
  readonly run: () => Promise<boolean>;
}

/** As many as the smallest machine we care for has cores. */
const CHECKS_AT_ONCE = 2;

const STEPS: readonly Step[] = [
  { name: "Format", run: () => deno("fmt", "--check") },
  { name: "Lint", run: () => deno("lint", "--quiet") },
  { name: "Generated files in step", run: generatedInStep },
  { name: "Types", run: () => deno("task", "--quiet", "check", "--quiet") },
  { name: "Types of each function, with its own deno.json", run: checkFunctions },
  { name: "Tests", run: () => deno("task", "--quiet", "test") },
];

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const isCi = taskArguments("ok", ["--no-tests"]).includes("--no-tests");
  const start = performance.now();
  const steps = isCi ? STEPS.filter(({ name }) => name !== "Tests") : STEPS;
  let passed = 0;
  for (const { name, run } of steps) {
    console.log(`\n== ${name}`);
    const begin = performance.now();
    const isOk = await run();
    console.log(`${isOk ? "ok" : "FAILED"} after ${seconds(begin)}`);
    if (!isOk) break;
    passed++;
  }
  const failed = passed === steps.length ? 0 : 1;
  if (isCi) console.log(`${passed} passed, ${failed} failed`);
  else if (failed === 0) console.log(`\nok: ${passed} steps in ${seconds(start)}`);
  return failed;
}

/** Runs this Deno in the repository, with its output shown as it comes. */
async function deno(...args: string[]): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdin: "null" }).spawn();
  return (await child.status).success;
}

async function generatedInStep(): Promise<boolean> {
  const stale = await filesOutOfStep();
  for (const path of stale) console.error(`Out of step: ${path}. Run deno task generate`);
  return stale.length === 0;
}

/**
 * The root's config is stricter but not the one that is deployed: an import may be missing there.
 */
async function checkFunctions(): Promise<boolean> {
  const failures = await inParallel(await functionNames(ROOT), CHECKS_AT_ONCE, checkFunction);
  for (const failure of failures) if (failure !== null) console.error(failure);
  return failures.every((failure) => failure === null);
}

async function checkFunction(name: string): Promise<string | null> {
  const { entry, config } = functionPaths(name);
  const { code, stderr } = await runCommand(Deno.execPath(), {
    // No lock: it would be written beside the function's deno.json.
    args: ["check", "--quiet", "--no-lock", "--config", config, entry],
    cwd: ROOT,
  });
  return code === 0 ? null : `${name}:\n${stderr}`;
}

function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}
