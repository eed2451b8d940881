/**
 * Milliseconds within which a second Ctrl-C is the first one, passed on: by the terminal and by
 * `deno task`.
 */
const PASSED_ON = 1_000;

/** Calls `stop` once on Ctrl-C or SIGTERM; a second Ctrl-C ends the process at once. */
export function onStopSignal(stop: () => void): void {
  let askedAt: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      if (askedAt === undefined) {
        askedAt = performance.now();
        stop();
      } else if (signal === "SIGINT" && performance.now() - askedAt > PASSED_ON) {
        Deno.exit(130);
      }
    });
  }
}

/** The message of anything that was thrown, on one line. */
export function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, " ").trim();
}
