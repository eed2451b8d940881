/** What the demo draws with: headings, tables, one line that is rewritten while things move. */

const isTerminal = Deno.stdout.isTerminal();
const plain = !isTerminal || Deno.noColor;
const paint = (code: number, text: string) => plain ? text : `\x1b[${code}m${text}\x1b[0m`;

let rewriting = false;
let lastWritten = "";

/** A step of the story. */
export function heading(text: string): void {
  console.log(`\n${paint(1, text)}`);
}

/** One line under a heading. Ends a rewritten line first. */
export function line(text: string): void {
  if (rewriting) console.log("");
  rewriting = false;
  lastWritten = "";
  if (text !== "") console.log(`  ${text}`);
}

/**
 * A line that changes in place. `detail` changes often and is left out where lines can not be
 * rewritten (a log file), so that a line is printed only when `text` changes.
 */
export function rewrite(text: string, detail: string): void {
  if (!isTerminal) {
    if (text !== lastWritten) console.log(`  ${text.trimEnd()}`);
    lastWritten = text;
    return;
  }
  Deno.stdout.writeSync(new TextEncoder().encode(`\r\x1b[2K  ${text}  ${paint(2, detail)}`));
  rewriting = true;
}

/** A bar of 30 cells and the percentage. */
export function bar(percentage: number): string {
  const cells = Math.round(percentage * 0.3);
  const drawn = "█".repeat(cells) + "░".repeat(30 - cells);
  return `${paint(36, drawn)} ${String(percentage).padStart(3)}%`;
}

/** Seconds as people say them. */
export function duration(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** A signed number: +50, -10. */
export function amount(value: number): string {
  return value > 0 ? `+${value}` : String(value);
}

/** Columns as wide as they need to be, the first row the names. */
export function table(names: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = names.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => (row[column] ?? "").length))
  );
  const write = (cells: readonly string[]) =>
    cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd();
  line(paint(2, write(names)));
  for (const row of rows) line(write(row));
}
