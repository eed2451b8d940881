/** `deno task reset`: deletes the data of the local stack. Refuses while a stack runs on them. */
import { join } from "node:path";
import { taskArguments } from "./arguments.ts";
import { localDataDir, readDeveloperEnv } from "./env.ts";
import { stopLeftover } from "./postgres.ts";
import { removePostgresData } from "./postgres_files.ts";
import { lockData, StackRunningError } from "./state.ts";

taskArguments("reset");
const dataDir = localDataDir();
try {
  const lock = await lockData(dataDir);
  await stopLeftover(join(dataDir, "postgres"));
  await removePostgresData(join(dataDir, "postgres"));
  await lock.release();
  await Deno.remove(dataDir, { recursive: true });
  console.log("The stack's data is deleted; the next start begins anew");
  if ((await readDeveloperEnv())["DATABASE_URL"]) {
    console.log("The database that DATABASE_URL names was left as it is");
  }
} catch (error) {
  if (!(error instanceof StackRunningError)) throw error;
  console.error(error.message);
  Deno.exit(1);
}
