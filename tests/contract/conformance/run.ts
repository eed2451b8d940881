/** Registers the suite's cases as tests, over any list of providers. */
import { assertEquals } from "@std/assert";
import { cases } from "./cases.ts";
import type { Case, Subject } from "./suite.ts";
import { Table } from "./table.ts";

/** One test for each provider and case, and a last one that prints the table and finds no hole in it. */
export function registerConformance(subjects: readonly Subject[]): void {
  const table = new Table();
  for (const subject of subjects) {
    for (const one of cases) {
      Deno.test(
        `conformance of ${subject.name}: ${one.name}`,
        () => runCase(table, subject, one),
      );
    }
  }
  const names = subjects.map(({ name }) => name).join(", ");
  Deno.test(`conformance of ${names}: every case was run for every provider`, () => {
    console.log(`\n${table.print(subjects, cases)}`);
    assertEquals(table.holes(subjects, cases), []);
  });
}

async function runCase(table: Table, subject: Subject, one: Case): Promise<void> {
  const why = one.needs === undefined ? undefined : subject.lacks[one.needs];
  if (why !== undefined) return table.note(subject, one, { result: "lacks", why });
  const bench = await subject.start();
  try {
    await one.run({ ...bench, lacks: subject.lacks });
    table.note(subject, one, { result: "holds" });
  } catch (error) {
    table.note(subject, one, { result: "fails" });
    throw error;
  } finally {
    await bench.close();
  }
}
