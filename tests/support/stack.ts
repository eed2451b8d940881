import { type Stack, type StackOptions, startStack } from "../../local/stack.ts";
import { type TestDatabase, withDatabase } from "./database.ts";

/** A running stack of a test's own, and its database. */
export interface TestStack extends Stack {
  readonly database: TestDatabase;
}

/**
 * Gives `work` a whole stack on a fresh database, with free ports and a folder of its own, blind to
 * the developer's environment. All of it is gone afterwards.
 */
export async function withStack<T>(
  options: StackOptions,
  work: (stack: TestStack) => Promise<T>,
): Promise<T> {
  return await withDatabase(async (database) => {
    const dataDir = await Deno.makeTempDir({ prefix: "gemreel-stack-" });
    try {
      const stack = await startStack({
        dataDir,
        databaseUrl: database.url,
        port: 0,
        sandboxPort: 0,
        env: {},
        quiet: true,
        ...options,
      });
      try {
        return await work({ ...stack, database });
      } finally {
        await stack.stop();
      }
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  });
}
