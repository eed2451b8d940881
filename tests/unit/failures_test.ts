import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

async function testSources(folder: string): Promise<string[]> {
  const sources: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) sources.push(...await testSources(path));
    else if (entry.name.endsWith("_test.ts") && entry.name !== "failures_test.ts") {
      sources.push(await Deno.readTextFile(path));
    }
  }
  return sources;
}

Deno.test("each of the forty failures is told in docs/reliability.md, and has a test or says why not", async () => {
  const doc = await Deno.readTextFile(`${ROOT}/docs/reliability.md`);
  const tests = (await testSources(`${ROOT}/tests`)).join("\n");
  const missing = Array.from({ length: 40 }, (_, i) => `F${String(i + 1).padStart(2, "0")}`)
    .filter((number) => {
      const line = doc.split("\n").find((row) => row.startsWith(`| ${number} `));
      return line === undefined || !(line.includes("not yet") || tests.includes(number));
    });
  assertEquals(missing, []);
});
