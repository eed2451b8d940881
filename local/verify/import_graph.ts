/** Which files of ours a function needs, as Deno sees it: independent of what the CLI finds. */
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { runToSuccess } from "./command.ts";
import type { Workspace } from "./workspace.ts";

const infoSchema = z.object({
  modules: z.array(z.looseObject({ specifier: z.string(), error: z.string().optional() })),
});

/** Names of the functions of the project in `dir`, sorted. */
export async function functionNames(dir: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(join(dir, "supabase/functions")));
  const folders = entries.filter(({ name, isDirectory }) => isDirectory && !name.startsWith("_"));
  return folders.map(({ name }) => name).sort();
}

/** Where a function's files are, from the project's root. */
export function functionPaths(name: string): { readonly entry: string; readonly config: string } {
  const folder = `supabase/functions/${name}`;
  return { entry: `${folder}/index.ts`, config: `${folder}/deno.json` };
}

/**
 * Paths (from the workspace's root) of every file that static imports reach from a function's
 * entry, itself and type-only imports included. Throws when an import leads nowhere.
 */
export async function reachableFiles(workspace: Workspace, name: string): Promise<string[]> {
  const { entry, config } = functionPaths(name);
  const json = await runToSuccess(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", "--config", config, entry],
    cwd: workspace.dir,
  });
  const { modules } = infoSchema.parse(JSON.parse(json));
  const broken = modules.find((module) => module.error !== undefined);
  if (broken) throw new Error(`"${broken.specifier}" can't be imported: ${broken.error}`);
  return modules.map((module) => module.specifier)
    .filter((specifier) => specifier.startsWith("file:"))
    .map((specifier) => relative(workspace.dir, fileURLToPath(specifier)));
}
