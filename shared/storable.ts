/** What others send us, in a form that Postgres keeps: its jsonb refuses some of what JSON allows. */

/** Levels kept: more than any provider sends, and far from where JSON parsers run out of stack. */
const DEEPEST = 100;

/**
 * The value without NULs and halves of characters, which Postgres refuses in text and jsonb: one of
 * them would keep a failure from settling. Throws a RangeError for what is nested deeper than 100 levels.
 */
export function storable(value: unknown): unknown {
  return clean(value, 0);
}

/** The text without NULs and halves of characters. */
export function storableText(text: string): string {
  return text.replaceAll("\0", "").toWellFormed();
}

/** Whether Postgres keeps the text as it is. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

function clean(value: unknown, depth: number): unknown {
  if (depth > DEEPEST) throw new RangeError(`The value is nested deeper than ${DEEPEST} levels`);
  if (typeof value === "string") return storableText(value);
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [storableText(key), clean(inner, depth + 1)]),
  );
}
