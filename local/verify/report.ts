/** What verifying says: one line a check, notes that are no fault, and how many passed. */

/** Why something is not as it must be, a sentence each. None: it is. */
export type Problems = readonly string[];

/** Takes the outcome of checks. */
export interface Report {
  /** Runs one check; true when it found nothing. What it throws is its problem, and others still run. */
  check(what: string, find: () => Promise<Problems>): Promise<boolean>;
  /** Says something that is worth knowing and no fault. */
  info(text: string): void;
  /** How many checks passed and failed so far. */
  count(): { readonly passed: number; readonly failed: number };
}

/** Makes a report; `write` takes each line. */
export function createReport(write: (line: string) => void): Report {
  let passed = 0;
  let failed = 0;
  return {
    async check(what, find) {
      const problems = await problemsOf(find);
      if (problems.length === 0) {
        passed++;
        write(`ok    ${what}`);
        return true;
      }
      failed++;
      write(`FAIL  ${what}: ${problems.map(oneLine).join("; ")}`);
      return false;
    },
    info: (text) => write(`info  ${oneLine(text)}`),
    count: () => ({ passed, failed }),
  };
}

/** What `find` finds; what it throws is a problem like any other. */
export async function problemsOf(find: () => Promise<Problems>): Promise<Problems> {
  try {
    return await find();
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, " / ");
}
