import type { Caller } from "../credentials.ts";
import { json } from "../http.ts";
import { createPool } from "../pool.ts";
import type { Tokens } from "../tokens.ts";
import { Access } from "./access.ts";
import { Feed } from "./feed.ts";
import { Hub } from "./hub.ts";
import { RealtimeSocket } from "./socket.ts";

/** Realtime of the local project: what answers at /realtime/v1. */
export interface RealtimeServer {
  /** Answers a request whose API key was checked. */
  handle(request: Request, caller: Caller, tokens: Tokens): Promise<Response>;
  /** Cuts every connection, as a restart of hosted Realtime does. Answers how many. */
  dropConnections(): number;
  close(): Promise<void>;
}

/** Does nothing, and holds no connection, until the first client joins a channel. */
export function createRealtime(
  { databaseUrl, log }: {
    readonly databaseUrl: string;
    readonly log: (line: string) => void;
  },
): RealtimeServer {
  const pool = createPool(databaseUrl, { name: "realtime", max: 4 });
  const access = new Access(pool);
  const hub = new Hub(access);
  const sockets = new Set<RealtimeSocket>();
  const dropConnections = () => {
    const dropped = [...sockets];
    for (const socket of dropped) socket.drop();
    return dropped.length;
  };
  const feed = new Feed({
    databaseUrl,
    changed: (changes) => hub.tell(changes),
    // What changes until we listen again is told to nobody, so no client may go on believing
    // that it is connected.
    lost: dropConnections,
    log,
  });
  let known: number | null = null;
  const messages = async () => known ??= await access.oidOf("realtime.messages");

  function open(request: Request, caller: Caller, tokens: Tokens): Response {
    const vsn = new URL(request.url).searchParams.get("vsn");
    const version = vsn === "2.0.0" ? "2.0.0" : "1.0.0";
    const { socket, response } = Deno.upgradeWebSocket(request);
    const anonymous = { role: caller.role, claims: caller.claims ?? { role: caller.role } };
    const client = new RealtimeSocket(socket, version, anonymous, {
      ...{ access, feed, hub, tokens, messages, log },
    });
    sockets.add(client);
    socket.onclose = () => {
      sockets.delete(client);
      client.dispose();
    };
    return response;
  }

  return {
    handle(request, caller, tokens) {
      const { pathname } = new URL(request.url);
      if (pathname !== "/realtime/v1/websocket") {
        return Promise.resolve(
          json(404, { message: `There is nothing at "${pathname}" of the stand-in for Realtime` }),
        );
      }
      if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
        return Promise.resolve(json(426, { message: "Expected a WebSocket" }));
      }
      return Promise.resolve(open(request, caller, tokens));
    },
    dropConnections,
    async close() {
      dropConnections();
      await feed.close();
      await pool.end();
    },
  };
}
