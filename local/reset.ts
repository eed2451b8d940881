/** `deno task reset`: forgets the data of the local stack. Refuses while a stack runs on them. */
import { join } from "node:path";
import { localDataDir } from "./env.ts";
import { stopLeftover } from "./postgres.ts";
import { removePostgresData } from "./postgres_files.ts";
import { lockData, StackRunningError } from "./state.ts";

const dataDir = localDataDir();
try {
  const lock = await lockData(dataDir);
  await stopLeftover(join(dataDir, "postgres"));
  await removePostgresData(join(dataDir, "postgres"));
  await lock.release();
  await Deno.remove(dataDir, { recursive: true });
  console.log("The local data are gone; the next start makes new ones");
} catch (error) {
  if (!(error instanceof StackRunningError)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
