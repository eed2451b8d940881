/** Logs as JSON lines, with a place for the request id and none for secrets. */

/** Writes one line; levels are those of every log viewer. */
export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** The same log with these fields on every line. */
  with(fields: Record<string, unknown>): Log;
}

const SECRET_NAME = /key|secret|token|authorization|password|jwt/i;
/** Hosted functions cut a line at 10,000 characters. */
const LONGEST_LINE = 9_000;

/** Makes a log; `write` gets one line of JSON. */
export function createLog(
  fields: Record<string, unknown>,
  write: (line: string) => void = console.log,
): Log {
  const line = (level: string) => (message: string, more: Record<string, unknown> = {}) => {
    const entry = { level, message, ...fields, ...more };
    write(JSON.stringify(entry, redact).slice(0, LONGEST_LINE));
  };
  return {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    with: (more) => createLog({ ...fields, ...more }, write),
  };
}

function redact(name: string, value: unknown): unknown {
  if (SECRET_NAME.test(name) && typeof value === "string") return "[redacted]";
  if (value instanceof Error) {
    return { name: value.name, message: value.message, cause: value.cause };
  }
  return value;
}
