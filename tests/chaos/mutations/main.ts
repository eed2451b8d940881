/**
 * `deno task test:mutations`: takes one guard after the other out of a copy of the product and runs
 * the tests that are to notice. A mutation that none of them notices is a failure. Ends with
 * "N passed, N failed" (noticed, not noticed).
 *
 *   deno task test:mutations [--markdown] [--under-fire] [part of a mutation's name or file ...]
 *
 * --under-fire: only the suites of tests/chaos, and only those mutations that they are to notice.
 */
import { join } from "node:path";
import { Cleanups } from "../../../local/cleanups.ts";
import { onStopSignal } from "../../../local/signals.ts";
import { inParallel } from "../../../shared/in_parallel.ts";
import { MUTATIONS } from "./all.ts";
import { countLine, markdownTable, plainTable } from "./report.ts";
import { type Asked, tryMutation } from "./trial.ts";
import { copyRepository, type Workbench } from "./workbench.ts";

/** Each runs a Postgres and a whole stack. */
const AT_ONCE = 2;
const FLAGS: ReadonlySet<string> = new Set(["--markdown", "--under-fire"]);

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Tries the mutations that `args` ask for. Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => arg.startsWith("-") && !FLAGS.has(arg));
  if (unknown !== undefined) {
    throw new Error(`No flag "${unknown}". There are: ${[...FLAGS].join(", ")}`);
  }
  const parts = args.filter((arg) => !arg.startsWith("-"));
  const asked: Asked = args.includes("--under-fire") ? "under fire" : "all";
  const chosen = MUTATIONS.filter(({ name, file, underFire }) =>
    (asked === "all" || underFire !== undefined) &&
    (parts.length === 0 || parts.some((part) => name.includes(part) || file.includes(part)))
  );
  if (chosen.length === 0) throw new Error(`No mutation is named like "${parts.join('", "')}"`);

  const cleanups = new Cleanups();
  onStopSignal(() => void cleanups.run().finally(() => Deno.exit(130)));
  try {
    const dir = await Deno.makeTempDir({ prefix: "gemreel-mutations-" });
    cleanups.add(() => Deno.remove(dir, { recursive: true }));
    const benches: Workbench[] = [];
    for (let i = 0; i < AT_ONCE; i++) benches.push(await copyRepository(join(dir, String(i))));
    const verdicts = await inParallel(chosen, AT_ONCE, async (mutation) => {
      const bench = benches.pop();
      if (bench === undefined) throw new Error("More mutations at once than copies");
      const verdict = await tryMutation(bench, mutation, asked);
      benches.push(bench);
      // Beside the table, which is for later: who waits wants to see that something happens.
      console.error(`${verdict.verdict.padEnd(8)} ${mutation.name}`);
      return verdict;
    });
    console.log((args.includes("--markdown") ? markdownTable : plainTable)(verdicts));
    console.log(countLine(verdicts));
    return verdicts.every(({ verdict }) => verdict === "caught") ? 0 : 1;
  } finally {
    await cleanups.run();
  }
}
