/**
 * The process that runs the edge functions: serves `<folder>/<name>/index.ts` under `/<name>`, as
 * the hosted runtime does. Started by functions_server.ts; its first line on stdout tells the port.
 *
 *   deno run -A local/functions_host.ts <folder>
 */
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";

type Fetch = (request: Request) => Response | Promise<Response>;

const moduleSchema = z.object({
  default: z.object({ fetch: z.custom<Fetch>((value) => typeof value === "function") }),
});

const folder = resolve(Deno.args[0] ?? "supabase/functions");
const loaded = new Map<string, Promise<Fetch>>();
const background = new Set<Promise<unknown>>();
let lastImport: Promise<unknown> = Promise.resolve();

/** Work that goes on after the answer; kept so that an orderly stop can wait for it. */
function waitUntil(work: Promise<unknown>): void {
  const tracked = work.catch((error: unknown) => {
    console.error("Work handed to EdgeRuntime.waitUntil failed:", error);
  }).finally(() => background.delete(tracked));
  background.add(tracked);
}

async function serve(request: Request): Promise<Response> {
  const name = /^\/(?:functions\/v1\/)?([A-Za-z0-9_-]+)(?:\/|$)/.exec(new URL(request.url).pathname)
    ?.[1];
  if (name === undefined || !(loaded.has(name) || await exists(name))) {
    return refuse(404, "NOT_FOUND", "Requested function was not found");
  }
  let handle: Fetch;
  try {
    handle = await load(name);
  } catch (error) {
    loaded.delete(name);
    console.error(`The function "${name}" does not start:`, error);
    return refuse(503, "BOOT_ERROR", `The function "${name}" does not start; its log says why`);
  }
  try {
    return await handle(request);
  } catch (error) {
    console.error(`The function "${name}" failed:`, error);
    return refuse(500, "WORKER_ERROR", "Function exited due to an error");
  }
}

async function exists(name: string): Promise<boolean> {
  return await Deno.stat(join(folder, name, "index.ts")).then((info) => info.isFile, () => false);
}

/**
 * Imports on first use, once, however many requests wait for it; and one function at a time: Deno 2.9.6
 * now and then panics ("RefCell already borrowed", libs/core/modules/map.rs) while several imports share
 * modules that are loading.
 */
function load(name: string): Promise<Fetch> {
  const known = loaded.get(name);
  if (known) return known;
  const url = pathToFileURL(join(folder, name, "index.ts")).href;
  const imported = lastImport.then(() => import(url));
  lastImport = imported.catch(() => {});
  const loading = imported.then((module: unknown) => {
    const parsed = moduleSchema.safeParse(module);
    if (!parsed.success) throw new Error(`"${name}" has no default export { fetch }`);
    const entry = parsed.data.default;
    return (request: Request) => entry.fetch(request);
  });
  loaded.set(name, loading);
  return loading;
}

function refuse(status: number, code: string, message: string): Response {
  return Response.json({ code, message }, { status });
}

/** Our stdin is a pipe from the stack: it ends when the stack stops us, or is no more. */
async function stopWithParent(server: Deno.HttpServer): Promise<never> {
  try {
    for await (const _ of Deno.stdin.readable);
  } catch {
    // A broken pipe means the same.
  }
  globalThis.dispatchEvent(new Event("beforeunload"));
  await Promise.race([
    Promise.allSettled([server.shutdown(), ...background]),
    new Promise((resolve) => setTimeout(resolve, 3_000)),
  ]);
  Deno.exit(0);
}

Object.defineProperty(globalThis, "EdgeRuntime", { value: { waitUntil } });
// Hosted isolates survive a forgotten rejection of one request; so do the others served here.
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  console.error("A promise was rejected and nobody looked:", event.reason);
});
// Ctrl-C in a terminal reaches us too; the stack decides when it is time.
for (const signal of ["SIGINT", "SIGHUP"] as const) Deno.addSignalListener(signal, () => {});

const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, serve);
console.log(JSON.stringify({ port: server.addr.port }));
await stopWithParent(server);
