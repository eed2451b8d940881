/** Copies of the repository in which it may be broken. */
import { join } from "node:path";
import { ROOT } from "../../../local/env.ts";
import { mutated, type Mutation } from "./mutation.ts";

/** A copy of the repository. */
export interface Workbench {
  readonly dir: string;
  /** Runs `work` while the copy is without the guard; afterwards it is whole again. */
  without<T>(mutation: Mutation, work: () => Promise<T>): Promise<T>;
}

/** Copies the repository as it is on disk into `dir`. The packages are shared with the original. */
export async function copyRepository(dir: string): Promise<Workbench> {
  await copy(ROOT, dir);
  await Deno.symlink(join(ROOT, "node_modules"), join(dir, "node_modules"));
  return workbenchAt(dir);
}

/** The copy in this folder. */
export function workbenchAt(dir: string): Workbench {
  return {
    dir,
    async without(mutation, work) {
      const file = join(dir, mutation.file);
      const whole = await Deno.readTextFile(file);
      await Deno.writeTextFile(file, mutated(mutation, whole));
      try {
        return await work();
      } finally {
        await Deno.writeTextFile(file, whole);
      }
    },
  };
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    // What tools and people keep there for themselves.
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory) await copy(source, target);
    else if (entry.isFile) await Deno.copyFile(source, target);
  }
}
