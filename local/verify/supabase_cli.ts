/** The real Supabase CLI, from npm. It is what we are held to, so its version is pinned here. */
import { z } from "zod";
import { parseJson } from "../json.ts";
import { type Ended, runCommand, runToSuccess } from "./command.ts";

/** Released with hosted Supabase as of November 2026. */
const CLI = "supabase@3.1.0";
const ENV = { DO_NOT_TRACK: "1" };

const failureSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/** The CLI answered with an error. */
export class CliError extends Error {
  override name = "CliError";
  constructor(readonly command: string, readonly code: string, message: string) {
    super(`"supabase ${command}" failed with ${code}: ${message}`);
  }
}

/** How to call the CLI. */
export interface CliOptions {
  /** The folder that holds `supabase/`. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The URL as the CLI wants it: it says so on stdout, amid its answer, when it had to go without TLS. */
export function cliUrl(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  if (!url.searchParams.has("sslmode")) url.searchParams.set("sslmode", "disable");
  return url.href;
}

/**
 * Has npm fetch the CLI (65 MB) and returns its version. To be done before calls run in parallel:
 * two npx that both want to install the same package break each other.
 */
export async function fetchCli(): Promise<string> {
  return (await runToSuccess("npx", { args: ["-y", CLI, "--version"], env: ENV })).trim();
}

/** Runs `supabase <args>` and gives its stdout as text. Throws `CliError`. */
export async function supabaseText(args: readonly string[], options: CliOptions): Promise<string> {
  const ended = await run(args, options);
  if (ended.code !== 0) throw errorOf(args, ended);
  return ended.stdout;
}

/**
 * Runs `supabase <args> --output-format json` and parses the answer. An answer that fits counts
 * whatever the exit code: findings make it 1. Throws `CliError`.
 */
export async function supabaseJson<T>(
  args: readonly string[],
  answer: z.ZodType<T>,
  options: CliOptions,
): Promise<T> {
  const ended = await run([...args, "--output-format", "json"], options);
  const parsed = answer.safeParse(parseJson(ended.stdout));
  if (parsed.success) return parsed.data;
  throw errorOf(args, ended);
}

async function run(args: readonly string[], { cwd, env }: CliOptions): Promise<Ended> {
  return await runCommand("npx", {
    args: ["-y", CLI, ...args, "--workdir", cwd, "--agent", "no"],
    cwd,
    env: { ...ENV, ...env },
  });
}

function errorOf(args: readonly string[], { code, stdout, stderr }: Ended): CliError {
  const command = args.filter((arg) => !arg.startsWith("-")).slice(0, 2).join(" ");
  const failure = failureSchema.safeParse(parseJson(stdout));
  if (failure.success) {
    return new CliError(command, failure.data.error.code, failure.data.error.message);
  }
  const said = (stderr.trim() || stdout.trim()).slice(-600);
  return new CliError(command, `exit code ${code}`, said);
}
