import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "../../local/env.ts";
import { MUTATIONS } from "../chaos/mutations/all.ts";
import { misfit, mutated, type Mutation } from "../chaos/mutations/mutation.ts";
import { readReport } from "../chaos/mutations/test_run.ts";
import { tryMutation } from "../chaos/mutations/trial.ts";
import { workbenchAt } from "../chaos/mutations/workbench.ts";

Deno.test("each mutation finds its guard exactly once in today's product, and its tests exist", async () => {
  assert(MUTATIONS.length >= 12);
  const names = MUTATIONS.map(({ name }) => name);
  assertEquals(names.filter((name, index) => names.indexOf(name) !== index), []);
  for (const mutation of MUTATIONS) {
    const text = await Deno.readTextFile(join(ROOT, mutation.file));
    assertEquals(misfit(mutation, text), null, mutation.name);
    assert(mutation.tests.length > 0, mutation.name);
    const files = [...mutation.tests, ...(mutation.underFire ?? []).map(({ file }) => file)];
    for (const file of files) assert((await Deno.stat(join(ROOT, file))).isFile);
  }
  assert(MUTATIONS.filter(({ underFire }) => underFire !== undefined).length >= 10);
});

Deno.test("a mutation that finds its guard twice, never, or changes nothing is refused", () => {
  const mutation: Mutation = {
    name: "n",
    file: "f.ts",
    find: "if (a) ",
    replace: "$&",
    why: "w",
    tests: ["t"],
  };
  assertEquals(mutated(mutation, "if (a) b();"), "$&b();");
  assertThrows(() => mutated(mutation, "if (a) if (a) b();"), Error, "2 times");
  assertThrows(() => mutated(mutation, "b();"), Error, "0 times");
  assertThrows(() => mutated({ ...mutation, replace: mutation.find }, "if (a) "), Error, "nothing");
});

Deno.test("the red test is read from a JUnit report by its own name", () => {
  const xml = `<testsuites><testsuite>
    <testcase name="F01 a &quot;b&quot; &#38; c" classname="x" time="1"></testcase>
    <testcase name="d" classname="x"><failure message="no">at x</failure></testcase>
    <testcase name="d &gt; step" classname="x"><failure message="no">at x</failure></testcase>
  </testsuite></testsuites>`;
  assertEquals(readReport(xml), [
    { name: `F01 a "b" & c`, failed: false },
    { name: "d", failed: true },
  ]);
});

/** A product of one line, whose one test is this. */
async function verdictOn(test: string, replace = "export const gems = 2;") {
  const dir = await Deno.makeTempDir();
  try {
    const product = "export const gems = 1;";
    await Deno.writeTextFile(join(dir, "product.ts"), product);
    await Deno.writeTextFile(
      join(dir, "product_test.ts"),
      `import { gems } from "./product.ts";
       Deno.test("it (holds) [always]", () => { ${test} });`,
    );
    const mutation: Mutation = {
      name: "n",
      file: "product.ts",
      find: product,
      replace,
      why: "w",
      tests: ["product_test.ts"],
    };
    const verdict = await tryMutation(workbenchAt(dir), mutation);
    assertEquals(await Deno.readTextFile(join(dir, "product.ts")), product);
    return verdict.verdict === "caught" ? verdict.by?.test : verdict.why;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a mutation is caught by a test that is red without the guard and green with it, by nothing else", async () => {
  assertEquals(await verdictOn(`if (gems !== 1) throw new Error("!")`), "it (holds) [always]");
  assertEquals(await verdictOn(`if (gems < 0) throw new Error("!")`), "green: product_test.ts");
  assertEquals(
    await verdictOn(`throw new Error("Always red")`),
    `"it (holds) [always]" is red with the guard, too`,
  );
  assertStringIncludes(await verdictOn("void gems", "export const gems ="), "did not run");
});
