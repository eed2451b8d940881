import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";

/** The root of this repository. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Where data, keys and logs of the stack are kept: GEMREEL_DATA_DIR, or `.local` in the repository. */
export function localDataDir(): string {
  return Deno.env.get("GEMREEL_DATA_DIR") || join(ROOT, ".local");
}

/**
 * The developer's variables: `.env`, then `supabase/functions/.env` (the file the Supabase CLI
 * reads), then the environment of this process, the later one winning.
 */
export async function readDeveloperEnv(): Promise<Record<string, string>> {
  return {
    ...await readDotenv(join(ROOT, ".env")),
    ...await readDotenv(join(ROOT, "supabase", "functions", ".env")),
    ...Deno.env.toObject(),
  };
}

/** The variables in a dotenv file; none when there is no such file. */
export async function readDotenv(file: string): Promise<Record<string, string>> {
  const text = await Deno.readTextFile(file).catch(() => "");
  const entries = Object.entries(parseEnv(text));
  return Object.fromEntries(entries.flatMap(([name, value]) => value ? [[name, value]] : []));
}
