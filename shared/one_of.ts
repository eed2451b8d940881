/** Says a choice as people do: `4, 6 or 8`, and with quotes around texts, `"a" or "b"`. */
export function oneOf(values: readonly unknown[]): string {
  return eitherOf(
    values.map((value) => typeof value === "string" ? `"${value}"` : String(value)),
  );
}

/** The same of what is written already. */
export function eitherOf(said: readonly string[]): string {
  const last = said.at(-1) ?? "";
  return said.length < 2 ? last : `${said.slice(0, -1).join(", ")} or ${last}`;
}
