/** A webhook receiver that remembers what it was told. */
export interface Receiver {
  readonly url: string;
  readonly bodies: readonly unknown[];
  close(): Promise<void>;
}

/** Listens on 127.0.0.1 and answers everything with 200. */
export function startReceiver(): Receiver {
  const bodies: unknown[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      bodies.push(await request.json());
      return new Response();
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/hook?token=t`,
    bodies,
    close: () => server.shutdown(),
  };
}
