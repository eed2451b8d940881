/** Runs one test file of a copy of the repository, up to its first red test. */
import { join } from "node:path";

/** How a run ended. `crashed`: no test is to blame, for example because a file could not be loaded. */
export type Outcome =
  | { readonly outcome: "green" }
  | { readonly outcome: "red"; readonly test: string }
  | { readonly outcome: "crashed"; readonly said: string };

/** A file that takes longer hangs, in milliseconds. */
const PATIENCE_MS = 600_000;

/** How Deno names what went wrong outside of any test. */
const NO_TEST = "(uncaught error)";

/** Runs `file` in `dir`, on a Postgres of its own; with `only`, the test of that name alone. */
export async function runTests(
  dir: string,
  file: string,
  { only, env = {} }: { only?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  const report = await Deno.makeTempFile({ prefix: "gemreel-mutation-", suffix: ".xml" });
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "-A",
        // Types are checked elsewhere: here a test has to see what is wrong.
        "--no-check",
        "--fail-fast",
        `--junit-path=${report}`,
        ...(only === undefined ? [] : [`--filter=/^${RegExp.escape(only)}$/`]),
        join(dir, file),
      ],
      cwd: dir,
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).output();
    const tests = readReport(await Deno.readTextFile(report));
    const red = tests.find((test) => test.failed && !test.name.endsWith(NO_TEST));
    if (red !== undefined) return { outcome: "red", test: red.name };
    if (code === 0 && tests.length > 0) return { outcome: "green" };
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    return { outcome: "crashed", said: said.trim().slice(-600) };
  } finally {
    await Deno.remove(report);
  }
}

/** The tests of a JUnit report, in order; steps are part of their test. */
export function readReport(xml: string): { name: string; failed: boolean }[] {
  return [...xml.matchAll(/<testcase name="([^"]*)"[^>]*>(.*?)<\/testcase>/gs)]
    .map(([, name = "", inside = ""]) => ({
      name: unescaped(name),
      failed: /<(failure|error)/.test(inside),
    }))
    .filter(({ name }) => !name.includes(" > "));
}

function unescaped(xml: string): string {
  const letters: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return xml.replaceAll(/&(#x?)?(\w+);/g, (whole, numeric: string | undefined, body: string) => {
    if (numeric === undefined) return letters[body] ?? whole;
    return String.fromCodePoint(parseInt(body, numeric === "#x" ? 16 : 10));
  });
}
