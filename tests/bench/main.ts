/**
 * `deno task bench [--json FILE] [--full] [names]`: every benchmark beside its peers, on one Postgres.
 * Names are those of the list below, or their beginnings ("queue" runs queue.sql and queue.http). Ends
 * with 1 where a goal is missed or a run did not do what it should have done.
 */
import { parseArgs } from "node:util";
import { type Bench, type BenchContext, brokenRow, type Row } from "./bench.ts";
import { BENCHES } from "./benches.ts";
import { startBenchServer, withCopy } from "./database.ts";
import { renderTable } from "./table.ts";

const { values: flags, positionals: names } = parseArgs({
  args: Deno.args,
  options: { json: { type: "string" }, full: { type: "boolean", default: false } },
  allowPositionals: true,
});

const isCalled = (wanted: string) => ({ name }: Bench) => name.startsWith(wanted);
const unknown = names.find((wanted) => !BENCHES.some(isCalled(wanted)));
if (unknown !== undefined) {
  const known = BENCHES.map(({ name }) => `"${name}"`).join(", ");
  console.error(`No benchmark is called "${unknown}"; there are ${known}`);
  Deno.exit(1);
}
const chosen = BENCHES.filter((bench) =>
  names.length === 0 || names.some((wanted) => isCalled(wanted)(bench))
);

const begin = performance.now();
const server = await startBenchServer();
const rows: Row[] = [];
let broken = 0;
try {
  let counting: Promise<void> = Promise.resolve();
  for (const bench of chosen) {
    const running = counting;
    if (bench.company !== "prepares") await running;
    const done = runOne(bench, {
      server,
      withDatabase: (work) => withCopy(server, work),
      full: flags.full,
      say: (text) => console.error(`  ${bench.name}: ${text}`),
      alone: () => running,
    });
    if (bench.company === "counts") counting = done;
    else await done;
  }
  await counting;
} finally {
  await server.stop();
}
console.log(renderTable(rows));
const missed = rows.filter((row) => !row.met).length;
console.log(
  `\n${rows.length - missed} of ${rows.length} lines hold, ${broken} runs were broken, ` +
    `after ${seconds(begin)}`,
);
if (flags.json) await Deno.writeTextFile(flags.json, JSON.stringify(rows, null, 2) + "\n");
Deno.exit(missed === 0 ? 0 : 1);

/** One broken run does not keep the others from being measured. */
async function runOne(bench: Bench, context: BenchContext): Promise<void> {
  const start = performance.now();
  console.error(bench.name);
  try {
    rows.push(...await bench.run(context));
  } catch (error) {
    broken++;
    rows.push(brokenRow(bench.name));
    console.error(`  "${bench.name}" is broken:`, error);
  }
  console.error(`  ${bench.name}: ${seconds(start)}`);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(1)} s`;
}
