/** When a job of pg_cron is due. */
export interface Schedule {
  /** The first moment after `last` (ms since 1970) at which the job is due. */
  next(last: number): number;
}

const MINUTE = 60_000;

const FIELDS = [
  { name: "minute", min: 0, max: 59, names: [] },
  { name: "hour", min: 0, max: 23, names: [] },
  { name: "day of month", min: 1, max: 31, names: [] },
  {
    name: "month",
    min: 1,
    max: 12,
    names: "jan feb mar apr may jun jul aug sep oct nov dec".split(" "),
  },
  { name: "day of week", min: 0, max: 7, names: "sun mon tue wed thu fri sat".split(" ") },
] as const;

const SHORTHANDS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Reads "N seconds" (1 to 59) or five cron fields in UTC. Throws on anything else. */
export function parseSchedule(text: string): Schedule {
  const seconds = /^\s*(\d+)\s+seconds?\s*$/i.exec(text)?.[1];
  if (seconds !== undefined) {
    const interval = Number(seconds);
    if (interval < 1 || interval > 59) throw invalid(text, "seconds go from 1 to 59");
    return { next: (last) => last + interval * 1000 };
  }
  return parseFields(SHORTHANDS[text.trim()] ?? text);
}

function parseFields(text: string): Schedule {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) throw invalid(text, "five fields are needed");
  const [minutes, hours, days, months, weekdays] = FIELDS.map((field, index) =>
    parseField(parts[index] ?? "", field, text)
  );
  // As in every cron: with both day fields restricted, either of them is enough.
  const eitherDay = parts[2] !== "*" && parts[4] !== "*";
  const matches = (at: Date): boolean => {
    const day = days?.has(at.getUTCDate()) ?? false;
    const weekday = weekdays?.has(at.getUTCDay()) ?? false;
    return (minutes?.has(at.getUTCMinutes()) ?? false) && (hours?.has(at.getUTCHours()) ?? false) &&
      (months?.has(at.getUTCMonth() + 1) ?? false) && (eitherDay ? day || weekday : day && weekday);
  };
  return { next: (last) => firstMatch(last, matches, text) };
}

function firstMatch(last: number, matches: (at: Date) => boolean, text: string): number {
  const start = (Math.floor(last / MINUTE) + 1) * MINUTE;
  // Four years hold every date, 29 February included.
  const end = start + 4 * 366 * 24 * 60 * MINUTE;
  for (let at = start; at < end; at += MINUTE) {
    if (matches(new Date(at))) return at;
  }
  throw invalid(text, "no date matches it");
}

function parseField(part: string, field: typeof FIELDS[number], text: string): Set<number> {
  const values = new Set<number>();
  for (const item of part.split(",")) {
    const match = /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d+))?$/i.exec(item);
    if (!match) throw invalid(text, `"${item}" is not a ${field.name}`);
    const [, from = "", to, step = "1"] = match;
    const start = from === "*" ? field.min : parseValue(from, field, text);
    const end = from === "*" ? field.max : to === undefined ? start : parseValue(to, field, text);
    if (Number(step) < 1 || end < start) throw invalid(text, `"${item}" is not a ${field.name}`);
    for (let value = start; value <= end; value += Number(step)) {
      values.add(field.name === "day of week" ? value % 7 : value);
    }
  }
  return values;
}

function parseValue(value: string, field: typeof FIELDS[number], text: string): number {
  const named = field.names.findIndex((name) => name === value.toLowerCase());
  const number = named >= 0 ? named + field.min : Number(value);
  if (Number.isInteger(number) && number >= field.min && number <= field.max) return number;
  throw invalid(text, `"${value}" is not a ${field.name} (${field.min} to ${field.max})`);
}

function invalid(text: string, why: string): Error {
  return new Error(`The schedule "${text}" is not valid: ${why}`);
}
