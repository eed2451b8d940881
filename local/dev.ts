/** `deno task dev`: the local stack, until Ctrl-C. */
import { relative } from "node:path";
import { taskArguments } from "./arguments.ts";
import { localDataDir, taskCommand } from "./env.ts";
import { USUAL_PORTS } from "./ports.ts";
import { onStopSignal, sentenceOf } from "./signals.ts";
import { type Stack, startStack } from "./stack.ts";
import { refuseWhenRunning } from "./state.ts";

taskArguments("dev");
const begun = performance.now();
const stopping = Promise.withResolvers<void>();
onStopSignal(stopping.resolve);

try {
  await refuseWhenRunning(localDataDir());
  console.log("Starting the local stack …");
  const stack = await startStack();
  const { gateway } = USUAL_PORTS;
  const { port } = new URL(stack.supabaseUrl);
  if (port !== String(gateway)) console.log(`Port ${gateway} is taken, serving on ${port}`);
  console.log(screen(stack, (performance.now() - begun) / 1000));
  await stopping.promise;
  console.log("\nStopping …");
  await stack.stop();
  Deno.exit(0);
} catch (error) {
  console.error(sentenceOf(error));
  Deno.exit(1);
}

function screen(stack: Stack, seconds: number): string {
  const real = stack.extensions.filter(({ by }) => by === "extension").map(({ name }) => name);
  const notes = stack.extensions.filter(({ note }) => note !== "");
  const lines = [
    ["API", stack.supabaseUrl],
    ["Publishable key", stack.publishableKey],
    ["Secret key", stack.secretKey],
    ["Database", stack.databaseUrl],
    ...Object.values(stack.providers).map(({ name, sandbox }) => [
      name,
      sandbox === null ? "the real one" : `${sandbox.url} (sandbox, ${sandbox.controlUrl})`,
    ]),
    ...(stack.notify === null
      ? []
      : [["Notifications", `${stack.notify.url} (sandbox, ${stack.notify.controlUrl})`]]),
    ...(real.length > 0 ? [["Extensions", `${real.join(", ")} (real)`]] : []),
    ...notes.map(({ note }) => ["Stand-in used", note]),
    ["Data and logs", relative(Deno.cwd(), stack.dataDir) || "."],
  ];
  const hints = [
    [taskCommand("status"), "prints this for scripts"],
    [taskCommand("reset"), "deletes the data"],
    ["Ctrl-C", "stops everything"],
  ];
  return [
    `\nGemreel runs (${seconds.toFixed(1)} s)\n`,
    ...aligned(lines),
    "",
    ...aligned(hints),
    "",
  ].join("\n");
}

/** Two columns, the first as wide as it has to be. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([first = ""]) => first.length));
  return rows.map(([first = "", second]) => `  ${first.padEnd(width)}  ${second}`);
}
