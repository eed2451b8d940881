import { assertEquals } from "@std/assert";
import { createReport } from "../../local/verify/report.ts";

Deno.test("a report writes a line a check and counts, whatever a check throws", async () => {
  const lines: string[] = [];
  const report = createReport((line) => lines.push(line));
  const outcomes = [
    await report.check("All is well", () => Promise.resolve([])),
    await report.check("Two are wrong", () => Promise.resolve(["One", "Other\n  of two lines"])),
    await report.check("It breaks", () => Promise.reject(new Error("No server"))),
  ];
  report.info("Worth knowing");
  assertEquals(outcomes, [true, false, false]);
  assertEquals(lines, [
    "ok    All is well",
    "FAIL  Two are wrong: One; Other / of two lines",
    "FAIL  It breaks: No server",
    "info  Worth knowing",
  ]);
  assertEquals(report.count(), { passed: 1, failed: 2 });
});
