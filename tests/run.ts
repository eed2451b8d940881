/**
 * `deno task test [files and flags of deno test]`: starts a Postgres, prepares the template that test
 * databases are copied from, runs the tests, stops the Postgres. Ends with "N passed, N failed".
 * DATABASE_URL makes it use that server instead of one of its own.
 */
import { fileURLToPath } from "node:url";
import { PLAIN, testArguments } from "./folders.ts";
import { SERVER_VARIABLE, startTestServer, TEMPLATE_VARIABLE } from "./support/server.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Whoever asks for tests by name wants all of them. */
const isPlain = Deno.args.length === 0;
/** Videos in a mixture of faults, where nobody says. */
const MIXTURE = Deno.env.get("CHAOS_VIDEOS") ?? (isPlain ? "60" : "500");
/** A plain run draws the same chances each time, so that a red one is about the change; others draw new ones. */
const SEED = Deno.env.get("CHAOS_SEED") ?? (isPlain ? "gemreel" : undefined);

const given = Deno.env.get("DATABASE_URL") || undefined;
// Ctrl-C reaches the tests as well; we stay to clean up after them.
Deno.addSignalListener("SIGINT", () => {});
const server = await startTestServer(given);
const report = await Deno.makeTempFile({ prefix: "gemreel-report-", suffix: ".xml" });
let code = 1;
try {
  const tests = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", `--junit-path=${report}`, ...await testArguments(Deno.args, PLAIN)],
    cwd: ROOT,
    env: {
      [SERVER_VARIABLE]: server.url,
      [TEMPLATE_VARIABLE]: server.template,
      CHAOS_VIDEOS: MIXTURE,
      ...(SEED === undefined ? {} : { CHAOS_SEED: SEED }),
    },
  }).spawn();
  Deno.addSignalListener("SIGTERM", () => tests.kill("SIGTERM"));
  code = (await tests.status).code;
} finally {
  await server.stop();
}
const counts = readCounts(await Deno.readTextFile(report));
await Deno.remove(report);
// Once more at the end, where they are found without a search.
for (const name of counts.failing) console.log(`Failed: ${name}`);
// A file that can't be loaded is no test, but a failure all the same.
const failed = code === 0 ? counts.failed : Math.max(1, counts.failed);
console.log(`${counts.passed} passed, ${failed} failed`);
Deno.exit(code);

/** From a JUnit report, so that it doesn't matter how Deno words its own summary. */
function readCounts(xml: string): { passed: number; failed: number; failing: string[] } {
  const cases = [...xml.matchAll(/<testcase name="([^"]*)"[^>]*>(.*?)<\/testcase>/gs)]
    .map(([, name = "", outcome = ""]) => ({ name, outcome }));
  const failing = cases.filter(({ outcome }) => /<(failure|error)/.test(outcome))
    .map(({ name, outcome }) => plainText(`${name}: ${reasonOf(outcome)}`));
  // Steps are listed as "test > step"; they are part of their test.
  const tests = cases.filter(({ name }) => !name.includes(" &gt; "));
  const skipped = tests.filter(({ outcome }) => outcome.includes("<skipped")).length;
  const failed = tests.filter(({ outcome }) => /<(failure|error)/.test(outcome)).length;
  return { passed: tests.length - failed - skipped, failed, failing };
}

/** What was thrown, in one line, without where: that stands further up. */
function reasonOf(outcome: string): string {
  const message = /<(?:failure|error) message="([^"]*)"/.exec(outcome)?.[1] ?? "no reason given";
  return message.replaceAll(/\s+/g, " ").slice(0, 1_000);
}

/** Of an XML attribute, without a terminal's colours. */
function plainText(attribute: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return attribute.replaceAll(/&(\w+);/g, (entity, name) => entities[name] ?? entity)
    // deno-lint-ignore no-control-regex
    .replaceAll(/\x1b\[[0-9;]*m/g, "");
}
