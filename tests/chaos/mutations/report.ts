/** What a run over the mutations prints. */
import { basename } from "node:path";
import type { Red, Verdict } from "./trial.ts";

const HEAD = ["mutation", "guard removed in", "caught by", "and under fire by"];

/** A table for the terminal. */
export function plainTable(verdicts: readonly Verdict[]): string {
  return rowsOf(verdicts).map((row) => row.join(" | ")).join("\n");
}

/** The same as Markdown. */
export function markdownTable(verdicts: readonly Verdict[]): string {
  const escaped = (row: readonly string[]) =>
    `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const [head = [], ...rows] = rowsOf(verdicts);
  return [head, head.map(() => "---"), ...rows].map(escaped).join("\n");
}

/** The line that ends a run. */
export function countLine(verdicts: readonly Verdict[]): string {
  const caught = verdicts.filter(({ verdict }) => verdict === "caught").length;
  return `${caught} passed, ${verdicts.length - caught} failed`;
}

/** Without the columns that say nothing: not all tests are asked each time. */
function rowsOf(verdicts: readonly Verdict[]): string[][] {
  const rows = verdicts.map(cells);
  const said = HEAD.map((_, column) => rows.some((row) => row[column] !== ""));
  return [HEAD, ...rows].map((row) => row.filter((_, column) => said[column]));
}

function cells(verdict: Verdict): string[] {
  const { name, file } = verdict.mutation;
  const found = verdict.verdict === "caught"
    ? [verdict.by, verdict.underFire].map(nameOf)
    : [`NOTHING (${verdict.why.replaceAll(/\s+/g, " ")})`, ""];
  return [name, basename(file), ...found];
}

function nameOf(red: Red | null): string {
  return red === null ? "" : `${basename(red.file)}: ${red.test}`;
}
