import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inheritedEnv } from "./env.ts";
import { textLines } from "./lines.ts";
import { json } from "./http.ts";
import { z } from "zod";

/** How the functions are run. */
export interface FunctionsOptions {
  /** The folder with one folder per function. */
  readonly functionsDir: string;
  /** All the environment the functions see, next to what Deno itself needs. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes each line the functions print. */
  readonly log: (line: string) => void;
}

/** The edge functions, run by a process of their own. */
export interface FunctionsHost {
  /** Passes a request on; the path is `/<name>/…`. 503 while the process is down. */
  fetch(request: Request): Promise<Response>;
  /** Whether there is a function of that name. */
  has(name: string): Promise<boolean>;
  /** Requests per function since the start, whoever sent them. */
  readonly requests: ReadonlyMap<string, number>;
  /** SIGKILL, in the middle of whatever it does. Stays down until `restart()`. */
  kill(): Promise<void>;
  /** A fresh process; changed files and `env` are read anew. */
  restart(env?: Readonly<Record<string, string>>): Promise<void>;
  /** Lets running requests end for a few seconds, then ends the process. */
  stop(): Promise<void>;
}

const HOST = fileURLToPath(new URL("./functions_host.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../deno.json", import.meta.url));
const STOP_PATIENCE_MS = 5_000;

const readySchema = z.object({ port: z.int() });

/** Starts the process; resolves when it serves. Functions are imported when first asked for. */
export async function startFunctions(options: FunctionsOptions): Promise<FunctionsHost> {
  const requests = new Map<string, number>();
  const known = new Set<string>();
  let env = options.env;
  let current: HostProcess | null = await startProcess({ ...options, env });
  return {
    requests,
    async has(name) {
      if (known.has(name)) return true;
      if (!/^[A-Za-z0-9_-]+$/.test(name)) return false;
      const entry = join(options.functionsDir, name, "index.ts");
      const exists = await Deno.stat(entry).then((info) => info.isFile, () => false);
      if (exists) known.add(name);
      return exists;
    },
    async fetch(request) {
      const url = new URL(request.url);
      const name = url.pathname.split("/")[1] ?? "";
      requests.set(name, (requests.get(name) ?? 0) + 1);
      if (!current) return unavailable();
      return await pass(request, new URL(url.pathname + url.search, current.origin));
    },
    async kill() {
      const process = current;
      current = null;
      await process?.kill();
    },
    async restart(changed = env) {
      env = changed;
      known.clear();
      await current?.stop();
      current = await startProcess({ ...options, env });
    },
    async stop() {
      const process = current;
      current = null;
      await process?.stop();
    },
  };
}

async function pass(request: Request, target: URL): Promise<Response> {
  const headers = new Headers(request.headers);
  // Packed answers would be unpacked on the way by fetch, and their headers would lie.
  headers.set("accept-encoding", "identity");
  headers.set("x-forwarded-host", new URL(request.url).host);
  try {
    return await fetch(target, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
    });
  } catch {
    return unavailable();
  }
}

function unavailable(): Response {
  return json(503, { code: "WORKER_UNAVAILABLE", message: "The functions are not running" });
}

interface HostProcess {
  readonly origin: string;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

async function startProcess(options: FunctionsOptions): Promise<HostProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      "--unstable-no-legacy-abort",
      "--config",
      CONFIG,
      HOST,
      options.functionsDir,
    ],
    clearEnv: true,
    env: { ...inheritedEnv(), ...options.env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(textLines());
  const reader = lines.getReader();
  const logged = [
    follow(
      child.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(textLines()).getReader(),
      options.log,
    ),
  ];
  const first = await reader.read();
  if (first.done) {
    await logged[0];
    throw new Error("The process that runs the functions ended at once; its log says why");
  }
  const { port } = readySchema.parse(JSON.parse(first.value));
  logged.push(follow(reader, options.log));
  const ended = async () => {
    await child.status;
    await Promise.all(logged);
  };
  return {
    origin: `http://127.0.0.1:${port}`,
    async kill() {
      signal(child, "SIGKILL");
      await child.stdin.close().catch(() => {});
      await ended();
    },
    async stop() {
      await child.stdin.close().catch(() => {});
      const timer = setTimeout(() => signal(child, "SIGKILL"), STOP_PATIENCE_MS);
      await ended();
      clearTimeout(timer);
    },
  };
}

async function follow(
  reader: ReadableStreamDefaultReader<string>,
  log: (line: string) => void,
): Promise<void> {
  for (let next = await reader.read(); !next.done; next = await reader.read()) log(next.value);
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch {
    // It has ended by itself.
  }
}
