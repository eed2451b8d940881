/** A short name for a SQL statement: what it does to what, without values. */
export function statementName(text: string): string {
  const ours = /\bapp\.(\w+)/.exec(text);
  if (ours) return `app.${ours[1]}`;
  const words = text.replaceAll(/--.*$/gm, " ").replaceAll(/\s+/g, " ").trim();
  const verbs = words.match(/\b(select|insert into|update|delete from|lock table|set)\b/gi) ?? [];
  const about = /\b(?:pgboss|public)\.(\w+)/.exec(words);
  const verb = new Set(verbs.map((verb) => verb.toLowerCase().split(" ")[0]));
  return [...verb, about?.[1] ?? words.slice(0, 40)].join(" ");
}
