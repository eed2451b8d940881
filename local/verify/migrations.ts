/** `supabase db push` on an empty database: everything applied, and nothing left for a second push. */
import { z } from "zod";
import type { ScratchDatabase } from "./database.ts";
import type { Problems, Report } from "./report.ts";
import { cliUrl, supabaseJson } from "./supabase_cli.ts";
import type { Workspace } from "./workspace.ts";

const pushSchema = z.object({
  upToDate: z.boolean(),
  migrations: z.array(z.string()),
  seeds: z.array(z.string()),
});

const listSchema = z.object({
  migrations: z.array(z.object({ local: z.string().nullish(), remote: z.string().nullish() })),
});

/** Answer of `supabase db push --output-format json`. */
export type PushAnswer = z.infer<typeof pushSchema>;

/** Pushes, lists, pushes again. False when the database is not what later checks need. */
export async function verifyMigrations(
  report: Report,
  database: ScratchDatabase,
  workspace: Workspace,
): Promise<boolean> {
  const files = await migrationFiles(workspace);
  const what = `supabase db push applies ${files.length} migrations and the seed`;
  if (
    !await report.check(`${what} to an empty ${database.server}`, async () => {
      return findMissingPushes(await push(database, workspace), files);
    })
  ) return false;
  await report.check("supabase migration list shows every migration applied", async () => {
    const remote = `--remote=${cliUrl(database.url)}`;
    const list = await supabaseJson(["migration", "list", remote], listSchema, {
      cwd: workspace.dir,
    });
    return findUnapplied(list.migrations, files);
  });
  await report.check("A second supabase db push does nothing", async () => {
    const again = await push(database, workspace);
    return again.upToDate ? [] : [`It pushed ${JSON.stringify(again)}`];
  });
  return true;
}

/** What a push of an empty database should have applied and has not. */
export function findMissingPushes(answer: PushAnswer, files: readonly string[]): Problems {
  const missing = files.filter((file) => !answer.migrations.includes(file));
  return [
    ...missing.map((file) => `"${file}" was not applied`),
    ...(answer.seeds.length === 0 ? ["No seed was applied"] : []),
  ];
}

/** Files without an applied version, and applied versions without a file. */
export function findUnapplied(
  rows: readonly { local?: string | null | undefined; remote?: string | null | undefined }[],
  files: readonly string[],
): Problems {
  const versions = files.map((file) => file.split("_")[0] ?? "");
  const applied = rows.filter((row) => row.local && row.local === row.remote)
    .map((row) => row.local);
  const strangers = rows.filter((row) => !row.local || row.local !== row.remote);
  return [
    ...versions.filter((version) => !applied.includes(version))
      .map((version) => `${version} is not shown as applied`),
    ...strangers.map((row) => `local "${row.local ?? ""}", remote "${row.remote ?? ""}"`),
  ];
}

async function push(database: ScratchDatabase, workspace: Workspace): Promise<PushAnswer> {
  const args = ["db", "push", `--remote=${cliUrl(database.url)}`, "--include-seed", "--yes"];
  return await supabaseJson(args, pushSchema, { cwd: workspace.dir });
}

async function migrationFiles({ dir }: Workspace): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(`${dir}/supabase/migrations`));
  return entries.map((entry) => entry.name).filter((name) => name.endsWith(".sql")).sort();
}
