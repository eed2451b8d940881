import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Failures that no test can show, each with the reason why. None. */
const NOT_TESTED: Readonly<Record<string, string>> = {};

/** The text between the quotes after `Deno.test(`. */
const TEST_NAME = /\bDeno\.test\(\s*(["'`])((?:\\.|(?!\1).)*)\1/gs;

async function testNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) names.push(...await testNames(path));
    else if (entry.name.endsWith("_test.ts") && entry.name !== "failures_test.ts") {
      names.push(...namesIn(await Deno.readTextFile(path)));
    }
  }
  return names;
}

function namesIn(source: string): string[] {
  return [...source.matchAll(TEST_NAME)].map(([, , name = ""]) => name);
}

Deno.test("each of the forty failures is told in docs/reliability.md, and has a test", async () => {
  const doc = await Deno.readTextFile(`${ROOT}/docs/reliability.md`);
  const names = await testNames(`${ROOT}/tests`);
  const missing = Array.from({ length: 40 }, (_, i) => `F${String(i + 1).padStart(2, "0")}`)
    .filter((number) => {
      const isTold = doc.split("\n").some((row) => row.startsWith(`| ${number} `));
      const isTested = names.some((name) => name.includes(number));
      return !isTold || isTested === number in NOT_TESTED;
    });
  assertEquals(missing, []);
});

Deno.test("a number that is only mentioned near a test proves nothing: it has to be in the name", () => {
  const source = [
    'Deno.test("F01 a \\"quoted\\" name", () => {});',
    "// F02 is told here only",
    "Deno.test(`F03 ${word}`, async () => { await F04(); });",
    'Deno.test(\n  "F05 on a line of its own",\n  toldAgain([]),\n);',
  ].join("\n");
  assertEquals(namesIn(source), [
    'F01 a \\"quoted\\" name',
    "F03 ${word}",
    "F05 on a line of its own",
  ]);
});
