/** The line that the demo rewrites. */
import { assert, assertEquals } from "@std/assert";
import { progressLine } from "../../local/screen.ts";

const unpainted = (_code: number, text: string) => text;
const painted = (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m`;

/** The longest that there is. */
const LONGEST = {
  percentage: 59,
  text: "initializing Waiting for a free easel…",
  detail: "about 15 min left",
};

Deno.test("a progress line leaves the last column free, however narrow the terminal", () => {
  for (let columns = 20; columns <= 120; columns++) {
    const { length } = progressLine(LONGEST, columns, unpainted);
    assert(length < columns, `${length} of ${columns}`);
  }
});

Deno.test("on 80 columns all of it is said beside a shorter bar", () => {
  const line = progressLine(LONGEST, 80, unpainted);
  assertEquals(line, "  ██████░░░░  59% initializing Waiting for a free easel…  about 15 min left");
});

Deno.test("on 60 columns the detail goes, on 40 the end of the text too", () => {
  const narrow = progressLine(LONGEST, 60, unpainted);
  assertEquals(narrow, "  ██████░░░░  59% initializing Waiting for a free easel…");
  const narrower = progressLine(LONGEST, 40, unpainted);
  assertEquals(narrower, "  ██████░░░░  59% initializing Waiting…");
});

Deno.test("where there is room the bar has 30 cells, and colours take none", () => {
  const line = progressLine({ ...LONGEST, percentage: 100 }, 100, painted);
  assertEquals(
    line,
    `  \x1b[36m${"█".repeat(30)}\x1b[0m 100% ${LONGEST.text}  \x1b[2m${LONGEST.detail}\x1b[0m`,
  );
});
