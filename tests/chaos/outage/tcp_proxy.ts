/** A wire that can be cut: TCP passed on as it comes, until the test says otherwise. */

/** What to do with what a connection says. */
type Verdict = "pass" | "cut";

/** One side of a connection. */
type Direction = "up" | "down";

/** A running proxy on 127.0.0.1. */
export class TcpProxy {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.TcpConn>();
  readonly #running = new Set<Promise<void>>();
  #target: number | undefined;
  #verdict: (direction: Direction) => Verdict = () => "pass";
  /** Connections that were cut. */
  cuts = 0;

  constructor() {
    this.#track(this.#accept());
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Where connections go from now on, on 127.0.0.1. */
  leadTo(port: number): void {
    this.#target = port;
  }

  /**
   * Cuts all connections, in both directions, each time `pieces(n)` more pieces have passed; n counts
   * the cuts from 1. Undefined ends it. Pieces and not seconds, so that it strikes in the middle of
   * calls, and only while there are any.
   */
  cutAfter(pieces: (n: number) => number | undefined): void {
    let strike = 1;
    let left = pieces(strike);
    this.#verdict = () => {
      if (left === undefined || --left > 0) return "pass";
      left = pieces(++strike);
      return "cut";
    };
  }

  /** Loses the next `count` pieces that come back: the other side has heard us, we never hear it. */
  loseAnswers(count: number): void {
    let left = count;
    this.#verdict = (direction) => {
      if (direction === "up" || left === 0) return "pass";
      left -= 1;
      return "cut";
    };
  }

  /** Ends every connection and waits until nothing runs. */
  async close(): Promise<void> {
    this.#listener.close();
    this.#cutAll();
    await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    try {
      for await (const client of this.#listener) this.#track(this.#carry(client));
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #carry(client: Deno.TcpConn): Promise<void> {
    this.#open.add(client);
    const server = await this.#connect();
    if (server === undefined) return this.#drop(client);
    // Cut while we were still connecting.
    if (!this.#open.has(client)) return server.close();
    this.#open.add(server);
    client.setNoDelay(true);
    server.setNoDelay(true);
    await Promise.all([this.#pass(client, server, "up"), this.#pass(server, client, "down")]);
  }

  /** Nobody there is what a caller sees while a server is down. */
  async #connect(): Promise<Deno.TcpConn | undefined> {
    if (this.#target === undefined) return undefined;
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
    } catch {
      return undefined;
    }
  }

  async #pass(from: Deno.TcpConn, to: Deno.TcpConn, direction: Direction): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const length = await from.read(buffer);
        if (length === null) break;
        if (this.#verdict(direction) === "cut") {
          this.#cutAll();
          break;
        }
        for (let sent = 0; sent < length;) sent += await to.write(buffer.subarray(sent, length));
      }
    } catch {
      // Cut, by us or by one of the two.
    }
    this.#drop(from);
    this.#drop(to);
  }

  #cutAll(): void {
    for (const connection of this.#open) {
      this.cuts += 1;
      this.#drop(connection);
    }
  }

  #drop(connection: Deno.TcpConn): void {
    if (this.#open.delete(connection)) connection.close();
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }
}

/** Gives `work` a proxy. */
export async function withProxy(work: (proxy: TcpProxy) => Promise<void>): Promise<void> {
  const proxy = new TcpProxy();
  try {
    await work(proxy);
  } finally {
    await proxy.close();
  }
}
