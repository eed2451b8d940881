/** One edge function as a process of its own on the Deno line that hosted Supabase embeds. */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { inheritedEnv } from "../env.ts";
import { textLines } from "../lines.ts";
import { runToSuccess } from "./command.ts";
import { functionPaths } from "./import_graph.ts";
import type { Workspace } from "./workspace.ts";

/** The last release of the line that hosted functions run on. */
export const HOSTED_DENO = "deno@2.1.14";

/** What it takes to start a function. */
export interface FunctionStart {
  /** Path of the Deno program. */
  readonly deno: string;
  readonly workspace: Workspace;
  readonly name: string;
  /** All of the function's environment, next to what Deno itself needs. */
  readonly env: Readonly<Record<string, string>>;
}

/** A function that serves, or one that has ended instead. */
export type Started =
  | { readonly up: true; readonly url: string; stop(): Promise<void> }
  | { readonly up: false; readonly code: number; readonly said: string };

/**
 * Behind a company's proxy npm is reached with NODE_EXTRA_CA_CERTS, which this Deno does not read.
 */
const CERTIFICATES = { DENO_TLS_CA_STORE: "mozilla,system" };
const HOST = fileURLToPath(new URL("./function_host.ts", import.meta.url));
const readySchema = z.object({ port: z.int() });

/** Path of the program, which npm fetches the first time. Asked once, since npx takes a second. */
export async function hostedDeno({ dir }: Workspace): Promise<string> {
  const args = ["-y", HOSTED_DENO, "eval", "console.log(Deno.execPath())"];
  // Not in the repository: this Deno cannot read its lock file.
  return (await runToSuccess("npx", { args, cwd: dir })).trim();
}

/** Starts a function and waits until it serves or has ended. */
export async function startFunction(start: FunctionStart): Promise<Started> {
  const { entry, config } = functionPaths(start.name);
  const child = new Deno.Command(start.deno, {
    args: ["run", "--no-lock", "-A", "--quiet", "--config", config, HOST, entry],
    cwd: start.workspace.dir,
    clearEnv: true,
    env: { ...CERTIFICATES, ...inheritedEnv(), NO_COLOR: "1", ...start.env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(textLines());
  const reader = lines.getReader();
  const first = await reader.read();
  const rest = drain(reader);

  const end = async () => {
    // The host ends with its stdin. A process that is gone has closed it already.
    await child.stdin.close().catch(() => {});
    const [status, said] = await Promise.all([child.status, stderr, rest]);
    return { code: status.code, said };
  };
  if (first.done) return { up: false, ...await end() };
  const { port } = readySchema.parse(JSON.parse(first.value));
  return {
    up: true,
    url: `http://127.0.0.1:${port}/${start.name}`,
    stop: async () => void await end(),
  };
}

/** A pipe that nobody reads fills up, and then the function waits forever. */
async function drain(reader: ReadableStreamDefaultReader<string>): Promise<void> {
  while (!(await reader.read()).done);
}
