/** The committed types of the database, ours and those for apps, against what the CLI makes of it. */
import { join } from "node:path";
import { ROOT } from "../env.ts";
import { runToSuccess } from "./command.ts";
import type { ScratchDatabase } from "./database.ts";
import type { Report } from "./report.ts";
import { CliError, cliUrl, supabaseText } from "./supabase_cli.ts";
import type { Workspace } from "./workspace.ts";

const TYPES = "shared/db/database.types.ts";
/** For apps. There only where somebody with a Dart SDK has written it: the CLI can not without one. */
const DART_TYPES = "docs/mobile/database.dart";

/** Fails when a committed file is not what `supabase gen types` gives (TypeScript formatted as ours). */
export async function verifyTypes(
  report: Report,
  database: ScratchDatabase,
  workspace: Workspace,
): Promise<void> {
  await report.check(
    `supabase gen types gives ${TYPES}`,
    async () => misfit(await typescriptTypes(database, workspace), await committed(TYPES)),
  );
  const dart = await dartTypes(database, workspace);
  const kept = await committed(DART_TYPES);
  if (dart === null) {
    report.info("supabase gen types --lang dart did not run: there is no dart on the PATH");
  } else if (kept === "") {
    report.info(`${DART_TYPES} is not kept: deno task verify --write-types writes it`);
  } else {
    await report.check(
      `supabase gen types --lang dart gives ${DART_TYPES}`,
      () => Promise.resolve(misfit(dart, kept)),
    );
  }
}

/** Writes the committed files anew, Dart's where there is a Dart SDK. Answers their names. */
export async function writeTypes(database: ScratchDatabase, workspace: Workspace): Promise<string> {
  await Deno.writeTextFile(join(ROOT, TYPES), await typescriptTypes(database, workspace));
  const dart = await dartTypes(database, workspace);
  if (dart === null) return TYPES;
  await Deno.writeTextFile(join(ROOT, DART_TYPES), dart);
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

async function typescriptTypes(database: ScratchDatabase, workspace: Workspace): Promise<string> {
  return await runToSuccess(Deno.execPath(), {
    args: ["fmt", "--config", join(ROOT, "deno.json"), "--ext", "ts", "-"],
    input: await generateTypes(database, workspace, "typescript"),
  });
}

/** Null where the CLI has no `dart` to make them with. */
async function dartTypes(database: ScratchDatabase, workspace: Workspace): Promise<string | null> {
  try {
    return await generateTypes(database, workspace, "dart");
  } catch (error) {
    if (error instanceof CliError && error.message.includes("needs `dart`")) return null;
    throw error;
  }
}

async function generateTypes(
  database: ScratchDatabase,
  { dir }: Workspace,
  language: "typescript" | "dart",
): Promise<string> {
  const args = ["gen", "types", `--remote=${cliUrl(database.url)}`, "--lang", language];
  return await supabaseText(args, { cwd: dir });
}
