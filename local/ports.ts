/** The ports the local stack likes best; each falls back to a free one when it is taken. */
export const USUAL_PORTS = { gateway: 54321, postgres: 54322, sandbox: 54340 } as const;

const TRIES = 20;

/**
 * A TCP port of 127.0.0.1 that was free a moment ago: `preferred`, one of the next few, or any.
 * Only for programs that must be told a port; a server in this process should bind directly
 * (`serveOnFreePort`), which leaves no gap for somebody else to take it.
 */
export function findFreePort(preferred = 0): number {
  for (const port of candidates(preferred)) {
    try {
      const listener = Deno.listen({ hostname: "127.0.0.1", port });
      const free = listener.addr.port;
      listener.close();
      return free;
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
  throw new Error(`Found no free port on 127.0.0.1 near ${preferred}`);
}

/**
 * Serves HTTP on 127.0.0.1 at `preferred`, the next free port after it, or any.
 * Port 0 asks the operating system at once. `signal` cuts all connections.
 */
export function serveOnFreePort(
  preferred: number,
  handler: Deno.ServeHandler<Deno.NetAddr>,
  signal: AbortSignal,
): Deno.HttpServer<Deno.NetAddr> {
  for (const port of candidates(preferred)) {
    try {
      return Deno.serve({ hostname: "127.0.0.1", port, signal, onListen: () => {} }, handler);
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
  throw new Error(`Found no free port on 127.0.0.1 near ${preferred}`);
}

/** Starts a server of our own process at `preferred`, the next free port after it, or any. */
export async function startOnFreePort<T>(
  preferred: number,
  start: (port: number) => Promise<T>,
): Promise<T> {
  for (const port of candidates(preferred)) {
    try {
      return await start(port);
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
  }
  throw new Error(`Found no free port on 127.0.0.1 near ${preferred}`);
}

function candidates(preferred: number): number[] {
  if (preferred === 0) return [0];
  const near = Array.from({ length: TRIES }, (_, step) => preferred + step * 10);
  return [...near.filter((port) => port < 65_536), 0];
}

function isTaken(error: unknown): boolean {
  if (error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.PermissionDenied) {
    return true;
  }
  // From node:http.
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
