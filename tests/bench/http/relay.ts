/** An HTTP relay that counts what functions ask of the project's REST and Storage APIs. */

/** A running relay. */
export interface Relay {
  /** Stands for SUPABASE_URL in the functions' environment. */
  readonly url: string;
  /** Requests to /rest/v1 and /storage/v1 since the start or the last reset. */
  count(): number;
  reset(): void;
  /** Where requests go; to be told before the first. */
  connect(target: string): void;
  close(): Promise<void>;
}

const COUNTED = /^\/(rest|storage)\/v1\//;

/** Starts a relay. */
export function startRelay(): Relay {
  let target = "";
  let count = 0;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      if (COUNTED.test(pathname)) count++;
      const { method, headers, body } = request;
      return await fetch(target + pathname + search, { method, headers, body, redirect: "manual" });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    count: () => count,
    reset: () => count = 0,
    connect: (url) => target = url,
    close: () => server.shutdown(),
  };
}
