/** What the conformance suite found: provider by case, printed once at the end. */
import type { Case, Subject } from "./suite.ts";

/** What became of one case of one provider. */
export type Cell =
  | { readonly result: "holds" | "fails" }
  /** The provider's API has no such thing. */
  | { readonly result: "lacks"; readonly why: string };

const words = { holds: "ok", fails: "FAILS", lacks: "–" } as const;

/** The table, cell by cell. */
export class Table {
  readonly #cells = new Map<string, Cell>();

  /** Notes what became of a case. */
  note(subject: Subject, one: Case, cell: Cell): void {
    this.#cells.set(keyOf(subject, one), cell);
  }

  /** Pairs of provider and case that were never noted: a table with holes proves nothing. */
  holes(subjects: readonly Subject[], cases: readonly Case[]): string[] {
    return subjects.flatMap((subject) => cases.map((one) => keyOf(subject, one)))
      .filter((key) => !this.#cells.has(key));
  }

  /** As text: one line a case, one column a provider, and below it what is lacking and why. */
  print(subjects: readonly Subject[], cases: readonly Case[]): string {
    const first = Math.max(...cases.map(({ name }) => name.length));
    const widths = subjects.map(({ name }) => Math.max(name.length, words.fails.length));
    const line = (label: string, cells: readonly string[]) =>
      [label.padEnd(first), ...cells.map((cell, at) => cell.padEnd(widths[at] ?? 0))]
        .join("  ").trimEnd();
    const rows = cases.map((one) =>
      line(one.name, subjects.map((subject) => this.#word(subject, one)))
    );
    const reasons = subjects.flatMap((subject) =>
      Object.entries(subject.lacks).map(([ability, why]) =>
        `  – ${subject.name} has no "${ability}": ${why}`
      )
    );
    return [line("", subjects.map(({ name }) => name)), ...rows, ...reasons].join("\n");
  }

  #word(subject: Subject, one: Case): string {
    const cell = this.#cells.get(keyOf(subject, one));
    return cell === undefined ? "?" : words[cell.result];
  }
}

function keyOf(subject: Subject, one: Case): string {
  return `${subject.name}: ${one.name}`;
}
