/** The committed types of the database, ours and those for apps, against the database. */
import { join } from "node:path";
import { ROOT } from "../env.ts";
import { runToSuccess } from "./command.ts";
import type { ScratchDatabase } from "./database.ts";
import type { Report } from "./report.ts";
import { dartTypes } from "./dart_types.ts";
import { cliUrl, supabaseText } from "./supabase_cli.ts";
import type { Workspace } from "./workspace.ts";

const TYPES = "shared/db/database.types.ts";
/** For apps. Made by us, because the CLI makes Dart only where there is a Dart SDK. */
const DART_TYPES = "docs/mobile/database.dart";

/** Fails when a committed file is not what is made of the database (TypeScript formatted as ours). */
export async function verifyTypes(
  report: Report,
  database: ScratchDatabase,
  workspace: Workspace,
): Promise<void> {
  await report.check(
    `supabase gen types gives ${TYPES}`,
    async () => misfit(await typescriptTypes(database, workspace), await committed(TYPES)),
  );
  await report.check(
    `${DART_TYPES} has the tables and columns that apps may read`,
    async () => misfit(await dartTypes(database.url), await committed(DART_TYPES)),
  );
}

/** Writes the committed files anew. Answers their names. */
export async function writeTypes(database: ScratchDatabase, workspace: Workspace): Promise<string> {
  await Deno.writeTextFile(join(ROOT, TYPES), await typescriptTypes(database, workspace));
  await Deno.writeTextFile(join(ROOT, DART_TYPES), await dartTypes(database.url));
  return `${TYPES} and ${DART_TYPES}`;
}

function committed(path: string): Promise<string> {
  return Deno.readTextFile(join(ROOT, path)).catch(() => "");
}

function misfit(made: string, kept: string): string[] {
  const difference = firstDifference(made, kept);
  return difference === null
    ? []
    : [`${difference}. Run deno task verify --write-types and look at what changed`];
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

async function typescriptTypes(
  database: ScratchDatabase,
  { dir }: Workspace,
): Promise<string> {
  const args = ["gen", "types", `--remote=${cliUrl(database.url)}`, "--lang", "typescript"];
  return await runToSuccess(Deno.execPath(), {
    args: ["fmt", "--config", join(ROOT, "deno.json"), "--ext", "ts", "-"],
    input: await supabaseText(args, { cwd: dir }),
  });
}
