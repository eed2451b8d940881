/**
 * A TCP relay in front of Postgres that counts what clients send, whatever driver they use. Only for
 * lines that count: the relay costs time, so a line that measures time speaks to Postgres directly.
 * Messages: https://www.postgresql.org/docs/17/protocol-message-formats.html
 */

/** What clients have sent since the start or the last reset. */
export interface WireCounts {
  /** Times a client sent something and waited: simple queries, Syncs and Flushes. */
  readonly roundTrips: number;
  /** Statements, transaction control included. */
  readonly statements: number;
}

/** A running relay. */
export interface Wire {
  /** The database, through the relay. */
  readonly url: string;
  /** The counts of all clients but the stand-ins of platform services, which are no clients there. */
  counts(): WireCounts;
  reset(): void;
  close(): void;
}

/** On the platform these are workers inside of Postgres. */
const INSIDE = new Set(["pg_net", "pg_cron"]);
/** Protocol 3.0; other first messages ask for TLS or cancel something. */
const STARTUP = 196_608;
const QUERY = "Q".charCodeAt(0);
const EXECUTE = "E".charCodeAt(0);
const SYNC = "S".charCodeAt(0);
const FLUSH = "H".charCodeAt(0);

interface Tally {
  roundTrips: number;
  statements: number;
}

/** Starts a relay to the server of `databaseUrl`. */
export function startWire(databaseUrl: string): Wire {
  const target = new URL(databaseUrl);
  const tallies = new Map<string, Tally>();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  void accept();

  async function accept(): Promise<void> {
    for await (const client of listener) void relay(client);
  }

  async function relay(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect({ hostname: target.hostname, port: Number(target.port) });
    for (const socket of [client, server]) {
      socket.setNoDelay();
      open.add(socket);
    }
    const reader = new MessageReader(tallies);
    const count = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        reader.take(chunk);
        controller.enqueue(chunk);
      },
    });
    // Either end may hang up at any time, which the other is to see and nobody else.
    await Promise.allSettled([
      client.readable.pipeThrough(count).pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
    ]);
    open.delete(client);
    open.delete(server);
  }

  const url = new URL(databaseUrl);
  url.port = String(listener.addr.port);
  return {
    url: url.href,
    counts() {
      const sum = { roundTrips: 0, statements: 0 };
      for (const [name, tally] of tallies) {
        if (INSIDE.has(name)) continue;
        sum.roundTrips += tally.roundTrips;
        sum.statements += tally.statements;
      }
      return sum;
    },
    reset: () => tallies.clear(),
    close() {
      listener.close();
      for (const socket of open) {
        try {
          socket.close();
        } catch {
          // Closed by its own end already.
        }
      }
    },
  };
}

/** Cuts what one client sends into messages. */
class MessageReader {
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #client: string | undefined;

  constructor(private readonly tallies: Map<string, Tally>) {}

  take(chunk: Uint8Array<ArrayBuffer>): void {
    this.#rest = joined(this.#rest, chunk);
    for (;;) {
      const typeBytes = this.#client === undefined ? 0 : 1;
      if (this.#rest.length < typeBytes + 4) return;
      const view = new DataView(this.#rest.buffer, this.#rest.byteOffset, this.#rest.byteLength);
      const size = view.getUint32(typeBytes) + typeBytes;
      if (this.#rest.length < size) return;
      const message = this.#rest.subarray(0, size);
      this.#rest = this.#rest.slice(size);
      if (this.#client === undefined) this.#start(message);
      else this.#count(this.#client, message);
    }
  }

  #start(message: Uint8Array): void {
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    if (view.getUint32(4) !== STARTUP) return;
    const fields = new TextDecoder().decode(message.subarray(8)).split("\0");
    const at = fields.findIndex((field, index) => index % 2 === 0 && field === "application_name");
    this.#client = at === -1 ? "" : fields[at + 1] ?? "";
  }

  #count(client: string, message: Uint8Array): void {
    const tally = this.tallies.get(client) ?? { roundTrips: 0, statements: 0 };
    this.tallies.set(client, tally);
    const type = message[0];
    if (type === QUERY || type === SYNC || type === FLUSH) tally.roundTrips++;
    if (type === EXECUTE) tally.statements++;
    if (type === QUERY) {
      const text = new TextDecoder().decode(message.subarray(5, -1));
      tally.statements += text.split(";").filter((part) => part.trim() !== "").length;
    }
  }
}

function joined(
  a: Uint8Array<ArrayBuffer>,
  b: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
