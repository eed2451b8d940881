/** A Postgres that a test may kill. */
import { assertEquals } from "@std/assert";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "../../../local/postgres.ts";

/** What a test does to its server. */
export interface MortalPostgres {
  /** Of the database `postgres`; the same after each restart. */
  readonly url: string;
  readonly port: number;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts again on the same data and port. */
  restart(): Promise<void>;
}

/**
 * A killed process loses nothing that it wrote, so fsync changes nothing here; commits must be
 * written before they are answered all the same, as in production.
 */
const SETTINGS = { fsync: "off", synchronous_commit: "on", max_connections: "200" } as const;

/** Gives `work` a server of its own; data and all are gone afterwards. */
export async function withOwnPostgres(
  work: (postgres: MortalPostgres) => Promise<void>,
): Promise<void> {
  const dataDir = join(tmpdir(), `gemreel-outage-${crypto.randomUUID().slice(0, 8)}`);
  const start = (port: number) =>
    startPostgres({ dataDir, port, settings: SETTINGS, temporary: true });
  let server: PostgresServer = await start(0);
  const { url, port } = server;
  try {
    await work({
      url,
      port,
      kill: () => server.kill(),
      async restart() {
        server = await start(port);
        assertEquals(server.port, port, "somebody else has taken the port meanwhile");
      },
    });
  } finally {
    await server.stop();
  }
}
