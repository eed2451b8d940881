/** A copy of what is deployed, so that no tool leaves its marks in the repository. */
import { dirname, join } from "node:path";
import { ROOT } from "../env.ts";
import { functionNames } from "./import_graph.ts";
import type { Scratch } from "./scratch.ts";

/** A folder with the repository's `supabase/` and `shared/`. */
export interface Workspace {
  readonly dir: string;
  /** Names of the functions, sorted. */
  readonly functions: readonly string[];
}

/** Copies `supabase/` and `shared/`, without what tools and people keep there for themselves. */
export async function copyWorkspace(scratch: Scratch): Promise<Workspace> {
  const dir = await Deno.makeTempDir({ dir: scratch.dir });
  for (const part of ["supabase", "shared"]) await copy(join(ROOT, part), join(dir, part));
  return { dir, functions: await functionNames(dir) };
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (entry.name.startsWith(".")) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory) await copy(source, target);
    else if (entry.isFile) await Deno.copyFile(source, target);
  }
}

/** Writes a file below the workspace, with the folders it needs. */
export async function plant(workspace: Workspace, path: string, text: string): Promise<void> {
  const file = join(workspace.dir, path);
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeTextFile(file, text);
}
