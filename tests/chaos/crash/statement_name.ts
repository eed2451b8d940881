/** A short name for a SQL statement: what it does to what, without values. */
export function statementName(text: string): string {
  const ours = /\bapp\.(\w+)/.exec(text);
  if (ours) return `app.${ours[1]}`;
  // pg-boss names a queue's table after a hash of the queue's name.
  const words = text.replaceAll(/--.*$/gm, " ").replaceAll(/j[0-9a-f]{56}/g, "queue_")
    .replaceAll(/\s+/g, " ").trim();
  const verbs = words.match(/\b(select|insert into|update|delete from)\b/gi) ?? [];
  const verb = new Set(verbs.map((verb) => verb.toLowerCase().split(" ")[0]));
  const about = /\b(?:pgboss|public)\.?(\w+)/.exec(words);
  return `pg-boss ${[...verb].join("+")} ${about?.[1] ?? words.slice(0, 30)}`;
}
