/** The committed types of the database against what the CLI makes of the migrated one. */
import { join } from "node:path";
import { ROOT } from "../env.ts";
import { runToSuccess } from "./command.ts";
import type { ScratchDatabase } from "./database.ts";
import type { Report } from "./report.ts";
import { cliUrl, supabaseText } from "./supabase_cli.ts";
import type { Workspace } from "./workspace.ts";

const TYPES = "shared/db/database.types.ts";

/** Fails when the committed file is not what `supabase gen types` gives, formatted. */
export async function verifyTypes(
  report: Report,
  database: ScratchDatabase,
  workspace: Workspace,
): Promise<void> {
  await report.check(`supabase gen types gives ${TYPES}`, async () => {
    const made = await generateTypes(database, workspace);
    const committed = await Deno.readTextFile(join(ROOT, TYPES)).catch(() => "");
    const difference = firstDifference(made, committed);
    return difference === null
      ? []
      : [`${difference}. Run deno task verify --write-types and look at what changed`];
  });
}

/** Writes the committed file anew. */
export async function writeTypes(database: ScratchDatabase, workspace: Workspace): Promise<string> {
  await Deno.writeTextFile(join(ROOT, TYPES), await generateTypes(database, workspace));
  return TYPES;
}

/** Where two texts part, for people; null when they are the same. */
export function firstDifference(made: string, committed: string): string | null {
  if (made === committed) return null;
  const [ours, theirs] = [committed.split("\n"), made.split("\n")];
  let at = 0;
  while (at < ours.length && ours[at] === theirs[at]) at++;
  const line = (lines: readonly string[]) => lines[at] ?? "the end";
  return `line ${at + 1} is "${line(ours).trim()}" and must be "${line(theirs).trim()}"`;
}

async function generateTypes(database: ScratchDatabase, { dir }: Workspace): Promise<string> {
  const args = ["gen", "types", `--remote=${cliUrl(database.url)}`, "--lang", "typescript"];
  const raw = await supabaseText(args, { cwd: dir });
  return await runToSuccess(Deno.execPath(), {
    args: ["fmt", "--config", join(ROOT, "deno.json"), "--ext", "ts", "-"],
    input: raw,
  });
}
