/** `supabase db lint`: plpgsql_check reads every PL/pgSQL function as a compiler would. */
import { z } from "zod";
import type { ScratchDatabase } from "./database.ts";
import type { Problems, Report } from "./report.ts";
import { CliError, cliUrl, supabaseJson } from "./supabase_cli.ts";
import type { Workspace } from "./workspace.ts";

const resultSchema = z.object({
  function: z.string(),
  issues: z.array(z.object({ level: z.string(), message: z.string() })),
});

const answerSchema = z.object({ results: z.array(resultSchema) });

/** What the linter has to say about one function. */
export type LintResult = z.infer<typeof resultSchema>;

/** Fails on any finding in our schemas; a server without plpgsql_check is said, not passed over. */
export async function verifyLint(
  report: Report,
  database: ScratchDatabase,
  { dir }: Workspace,
): Promise<void> {
  const remote = `--remote=${cliUrl(database.url)}`;
  const args = ["db", "lint", remote, "--schema", "public,app", "--level", "warning"];
  const outcome = await supabaseJson(args, answerSchema, { cwd: dir }).then(
    ({ results }) => findIssues(results),
    (error: unknown) => error instanceof Error ? error : new Error(String(error)),
  );
  if (outcome instanceof CliError && outcome.message.includes("is not available")) {
    report.info(`supabase db lint did not run: plpgsql_check is not on this ${database.server}`);
    return;
  }
  await report.check("supabase db lint finds nothing", () => {
    return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
  });
}

/** Every issue as a sentence. */
export function findIssues(results: readonly LintResult[]): Problems {
  return results.flatMap((result) =>
    result.issues.map(({ level, message }) => `${result.function}: ${message} (${level})`)
  );
}
