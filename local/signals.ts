/** Calls `stop` once on Ctrl-C or SIGTERM; a second Ctrl-C ends the process at once. */
export function onStopSignal(stop: () => void): void {
  let asked = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      if (asked && signal === "SIGINT") Deno.exit(130);
      if (!asked) stop();
      asked = true;
    });
  }
}

/** The message of anything that was thrown, on one line. */
export function sentenceOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s*\n\s*/g, " ").trim();
}
