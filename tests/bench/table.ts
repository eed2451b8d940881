/** The rows as people read them. */
import type { Row } from "./bench.ts";

const HEADINGS = ["", "name", "ours", "peer", "unit", "ratio", "goal"] as const;

/** An aligned table, a line a row; notes stand below, numbered. */
export function renderTable(rows: readonly Row[]): string {
  const notes: string[] = [];
  const cells = rows.map((row) => {
    if (row.note !== undefined && !notes.includes(row.note)) notes.push(row.note);
    const mark = row.note === undefined ? "" : ` [${notes.indexOf(row.note) + 1}]`;
    const peer = row.peer === null ? "" : `${figure(row.peer)} ${row.peerName}`;
    return [
      row.met ? row.goal === "printed" ? " " : "met" : "MISSED",
      row.name + mark,
      figure(row.ours),
      peer,
      row.unit,
      row.ratio === null ? "" : `${figure(row.ratio)} x`,
      row.goal,
    ];
  });
  const lines = [[...HEADINGS], ...cells];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0))
  );
  const table = lines.map((line) =>
    line.map((cell, column) =>
      // Figures and ratios end at the same place.
      column === 2 || column === 5
        ? cell.padStart(widths[column] ?? 0)
        : cell.padEnd(widths[column] ?? 0)
    ).join("  ").trimEnd()
  );
  return [...table, "", ...notes.map((note, n) => `[${n + 1}] ${note}`)].join("\n").trimEnd();
}

/** Three figures that count; thousands with a comma. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  if (value === 0) return "0";
  return String(Number(value.toPrecision(3)));
}
