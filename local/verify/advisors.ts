/** Supabase's own advisors (security and performance) on the migrated database. */
import { z } from "zod";
import type { ScratchDatabase } from "./database.ts";
import type { Problems, Report } from "./report.ts";
import { cliUrl, supabaseJson } from "./supabase_cli.ts";
import type { Workspace } from "./workspace.ts";

const findingSchema = z.object({
  name: z.string(),
  level: z.enum(["INFO", "WARN", "ERROR"]),
  detail: z.string(),
  cacheKey: z.string(),
});

/** One thing the advisors have to say. */
export type Finding = z.infer<typeof findingSchema>;

const answerSchema = z.object({ results: z.array(findingSchema) });

/** Fails on any warning or error, and names what is only information. */
export async function verifyAdvisors(
  report: Report,
  database: ScratchDatabase,
  { dir }: Workspace,
): Promise<void> {
  let findings: readonly Finding[] = [];
  await report.check("supabase db advisors has no warning and no error", async () => {
    const args = ["db", "advisors", `--remote=${cliUrl(database.url)}`, "--level", "info"];
    findings = (await supabaseJson(args, answerSchema, { cwd: dir })).results;
    return findWarnings(findings);
  });
  for (const line of summarise(findings)) report.info(line);
}

/** Findings that are faults, as sentences. */
export function findWarnings(findings: readonly Finding[]): Problems {
  return findings.filter(({ level }) => level !== "INFO")
    .map(({ level, name, detail }) => `${level} ${name}: ${detail}`);
}

/** The others: one line for each kind, since an empty database has dozens of unused indexes. */
export function summarise(findings: readonly Finding[]): string[] {
  const subjects = new Map<string, string[]>();
  for (const { level, name, cacheKey } of findings) {
    if (level !== "INFO") continue;
    const subject = cacheKey.replace(`${name}_`, "");
    subjects.set(name, [...subjects.get(name) ?? [], subject]);
  }
  return [...subjects].map(([name, of]) =>
    `db advisors, ${name} (${of.length}): ${of.sort().join(", ")}`
  );
}
