import { Cleanups } from "../cleanups.ts";

/** Where everything goes that verifying makes, and what is to be undone at its end. */
export interface Scratch {
  readonly dir: string;
  /** The folder itself goes last. */
  readonly cleanups: Cleanups;
}

/** Makes an empty folder of its own. */
export async function createScratch(): Promise<Scratch> {
  // The real path: tools report files by it, and we compare.
  const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "gemreel-verify-" }));
  const cleanups = new Cleanups();
  cleanups.add(() => Deno.remove(dir, { recursive: true }));
  return { dir, cleanups };
}
