import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";

/** The root of this repository. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * How a task is run on the same data by whoever has no Deno of their own: with the one that runs
 * now.
 */
export function taskCommand(name: string): string {
  const dataDir = Deno.env.get("GEMREEL_DATA_DIR");
  const variable = dataDir ? `GEMREEL_DATA_DIR=${shellWord(dataDir)} ` : "";
  return `${variable}npx -y deno@${Deno.version.deno} task ${name}`;
}

/** What a Deno process needs from ours; nothing else of our environment reaches a function. */
const PASSED_ON = /^(PATH|HOME|USER|TMPDIR|LANG|TZ|DENO_.*|NPM_CONFIG_.*|SSL_CERT_.*|NO_COLOR)$/i;

/**
 * Where data, keys and logs of the stack are kept: GEMREEL_DATA_DIR, or `.local` in the repository.
 */
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
async function readDotenv(file: string): Promise<Record<string, string>> {
  const text = await Deno.readTextFile(file).catch(() => "");
  const entries = Object.entries(parseEnv(text));
  return Object.fromEntries(entries.flatMap(([name, value]) => value ? [[name, value]] : []));
}

/** The part of our environment that a process with a function in it gets. */
export function inheritedEnv(): Record<string, string> {
  const all = Object.entries(Deno.env.toObject());
  return Object.fromEntries(all.filter(([name]) => PASSED_ON.test(name)));
}

/** In quotes where a shell would take it apart. */
function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
