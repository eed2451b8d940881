/** What the demo draws with: headings, tables, one line that is rewritten while things move. */

const isTerminal = Deno.stdout.isTerminal();
const plain = !isTerminal || Deno.noColor;
const paint = (code: number, text: string) => plain ? text : `\x1b[${code}m${text}\x1b[0m`;

/** How far something is. */
export interface Progress {
  readonly percentage: number;
  readonly text: string;
  /** What changes often and may be left out. */
  readonly detail: string;
}

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
 * A line that changes in place. Where lines cannot be rewritten (a log file) it is printed anew,
 * but not for a new `detail`.
 */
export function rewrite(progress: Progress): void {
  if (isTerminal) {
    const drawn = progressLine(progress, terminalColumns(), paint);
    Deno.stdout.writeSync(new TextEncoder().encode(`\r\x1b[2K${drawn}`));
    rewriting = true;
    return;
  }
  const written = progressLine({ ...progress, detail: "" }, Infinity, paint).trimEnd();
  if (written !== lastWritten) console.log(written);
  lastWritten = written;
}

/**
 * A bar, the percentage, the text and the detail, on one row: a line that wraps cannot be
 * rewritten. The bar shrinks first, then the detail goes, then the end of the text.
 */
export function progressLine(
  { percentage, text, detail }: Progress,
  columns: number,
  paint: (code: number, text: string) => string,
): string {
  const cells = Math.min(30, Math.max(10, columns - 70));
  const full = Math.round(percentage * cells / 100);
  const drawn = paint(36, "█".repeat(full) + "░".repeat(cells - full));
  // The margin, the percentage and their spaces, and the last column, where a terminal may wrap.
  const room = columns - cells - 9;
  const said = clip(text, room);
  const added = detail !== "" && said.length + 2 + detail.length <= room
    ? `  ${paint(2, detail)}`
    : "";
  return `  ${drawn} ${String(percentage).padStart(3)}% ${said}${added}`;
}

function clip(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`;
}

/** Some terminals do not tell, or say 0. */
function terminalColumns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
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
