import type pg from "pg";
import { AuthAdmin } from "./auth_admin.ts";
import { forward, OPEN_AUTH_PATHS } from "./auth_gateway.ts";
import { type Caller, Credentials, RefusedError } from "./credentials.ts";
import type { FunctionsHost } from "./functions_server.ts";
import { json, preflight, withCors } from "./http.ts";
import { publicJwks, type StackKeys } from "./keys.ts";
import { serveOnFreePort } from "./ports.ts";
import type { RealtimeServer } from "./realtime/server.ts";
import { StorageApi } from "./storage/api.ts";
import type { SupabaseApis } from "./supabase.ts";
import type { Tokens } from "./tokens.ts";

/** What stands behind the gateway. */
export interface Backends {
  readonly keys: StackKeys;
  readonly tokens: Tokens;
  readonly apis: SupabaseApis;
  readonly database: pg.Pool;
  readonly realtime: RealtimeServer;
  readonly storageFolder: string;
  /** Null: no functions are served. */
  readonly functions: FunctionsHost | null;
  /** Functions without `verify_jwt`. */
  readonly openFunctions: ReadonlySet<string>;
  readonly log: (line: string) => void;
}

/** The one address of the local project. */
export interface Gateway {
  /** http://127.0.0.1:<port> */
  readonly url: string;
  /** From now on requests are answered; earlier ones have waited. */
  connect(backends: Backends): void;
  /** Takes no new requests, gives running ones a moment, cuts the rest. */
  close(): Promise<void>;
}

const NOBODY: Caller = { role: "anon", claims: null };
const CLOSING_PATIENCE_MS = 1_000;

/**
 * Opens the gateway on `port` or the next free one. The address is known before anything behind it
 * runs, since that is told the address.
 */
export function openGateway(port: number): Gateway {
  const connected = Promise.withResolvers<(request: Request) => Promise<Response>>();
  const running = new Set<Promise<void>>();
  const cut = new AbortController();
  const server = serveOnFreePort(port, async (request, { completed }) => {
    const delivery = completed.catch(() => {}).finally(() => running.delete(delivery));
    running.add(delivery);
    if (isFunctionPath(request) || request.method !== "OPTIONS") {
      return withCors(await (await connected.promise)(request));
    }
    return preflight(request);
  }, cut.signal);
  let closing: Promise<void> | undefined;
  const close = async () => {
    connected.resolve(() => Promise.resolve(json(503, { message: "The stack has stopped" })));
    await withPatience(Promise.all(running), CLOSING_PATIENCE_MS);
    // Not server.shutdown(): once begun it waits for as long as a client reads, and can't be cut
    // short.
    cut.abort();
    await server.finished;
  };
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    connect: (backends) => connected.resolve(createRouter(backends)),
    close: () => closing ??= close(),
  };
}

async function withPatience(work: Promise<unknown>, milliseconds: number): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, milliseconds);
  await Promise.race([work, over.promise]);
  clearTimeout(timer);
}

/** Answers every path of the local project, as the gateway of hosted Supabase does. */
function createRouter(backends: Backends): (request: Request) => Promise<Response> {
  const { keys, tokens, apis, database, realtime } = backends;
  const credentials = new Credentials(keys, tokens);
  const admin = new AuthAdmin(database, apis);
  const storage = new StorageApi(database, {
    folder: backends.storageFolder,
    secret: keys.storageSecret,
  });

  async function route(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/auth/v1/.well-known/jwks.json") return json(200, publicJwks(keys));
    if (pathname === "/auth/v1/health") return json(200, { name: "GoTrue", version: "local" });
    if (isFunctionPath(request)) return await callFunction(request, pathname);
    if (OPEN_AUTH_PATHS.includes(pathname)) return await forward(apis, tokens, request, NOBODY);
    if (pathname.startsWith("/storage/v1/")) {
      const caller = StorageApi.isOpen(request) ? null : await credentials.identify(request);
      return await storage.handle(request, caller);
    }
    if (pathname.startsWith("/realtime/v1/")) {
      return await realtime.handle(request, await credentials.identify(request), tokens);
    }
    if (!/^\/(auth|rest)\/v1(\/|$)/.test(pathname)) {
      return json(404, { message: `There is nothing at "${pathname}"` });
    }
    const caller = await credentials.identify(request);
    return AuthAdmin.serves(pathname)
      ? await admin.handle(request, caller)
      : await forward(apis, tokens, request, caller);
  }

  async function callFunction(request: Request, pathname: string): Promise<Response> {
    const path = pathname.slice("/functions/v1".length);
    const name = path.split("/")[1] ?? "";
    if (!backends.functions) return json(503, { message: "The stack runs without functions" });
    if (!(await backends.functions.has(name))) {
      return json(404, { code: "NOT_FOUND", message: "Requested function was not found" });
    }
    if (request.method !== "OPTIONS" && !backends.openFunctions.has(name)) {
      await credentials.requireUser(request);
    }
    const url = new URL(request.url);
    url.pathname = path;
    const { method, headers, body } = request;
    // Without its signal: Deno's also aborts after a complete answer, and warns about being used.
    return await backends.functions.fetch(new Request(url, { method, headers, body }));
  }

  return async (request) => {
    try {
      return await route(request);
    } catch (error) {
      await request.body?.cancel().catch(() => {});
      if (error instanceof RefusedError) return refused(request, error);
      backends.log(`${request.method} ${request.url} failed: ${Deno.inspect(error)}`);
      return json(500, { message: "The local stack failed; its log says why" });
    }
  };
}

/** The hosted gateway words it one way for functions and another for the other APIs. */
function refused(request: Request, { message, hint }: RefusedError): Response {
  if (isFunctionPath(request)) return json(401, { code: 401, message });
  return json(401, hint === undefined ? { code: 401, message } : { message, hint });
}

function isFunctionPath(request: Request): boolean {
  return new URL(request.url).pathname.startsWith("/functions/v1/");
}
