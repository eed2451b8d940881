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
    write(toLine(entry));
  };
  return {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: line("error"),
    with: (more) => createLog({ ...fields, ...more }, write),
  };
}

function toLine(entry: Record<string, unknown>): string {
  try {
    const whole = JSON.stringify(entry, redact);
    if (whole.length <= LONGEST_LINE) return whole;
    const { level, message, function: name, request_id } = entry;
    return JSON.stringify({
      level,
      message: withoutQueries(String(message)).slice(0, 1_000),
      function: name,
      request_id,
      cut: whole.slice(0, LONGEST_LINE / 2),
    });
  } catch {
    // Something that refers to itself: the log must not be what fails.
    return JSON.stringify({ level: entry["level"], message: entry["message"] }, redact);
  }
}

/** Called by JSON.stringify for each value, those in arrays, objects and causes included. */
function redact(name: string, value: unknown): unknown {
  const mayHoldSecret = typeof value === "string" || (typeof value === "object" && value !== null);
  if (SECRET_NAME.test(name) && mayHoldSecret) return "[redacted]";
  if (typeof value === "string") return withoutQueries(value);
  if (value instanceof Error) {
    return { name: value.name, message: value.message, cause: value.cause };
  }
  return value;
}

/** The query of a URL, without the bracket or colon that a text may put behind it. */
const QUERY = /(https?:\/\/[^\s"'<>?]*\?)[^\s"'<>]*?(?=\)?[.,:;]?(?:[\s"'<>]|$))/gi;

/** The text without the queries of its URLs: errors quote links, and signed ones hold a token. */
export function withoutQueries(text: string): string {
  return text.replaceAll(QUERY, "$1[redacted]");
}
