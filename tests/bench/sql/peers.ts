/** The peers: real packages in schemas of their own, in the same database, set up as they recommend. */
import { Logger, makeWorkerUtils, type WorkerUtils } from "graphile-worker";
import type pg from "pg";
import { PgBoss } from "pg-boss";
import type { BenchDatabase } from "../database.ts";

/** The peers' own names of the one queue they have here. */
export const PEER_QUEUE = "bench";

/** Starts pg-boss with a queue of its own (a table of its own, its fastest layout). */
export async function startBoss(
  database: BenchDatabase,
  { connections }: { readonly connections: number },
): Promise<PgBoss> {
  const boss = new PgBoss({
    connectionString: database.url,
    schema: "peer_boss",
    max: connections,
    supervise: false,
    schedule: false,
  });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  await boss.createQueue(PEER_QUEUE, { partition: true });
  return boss;
}

/** Gives `work` such a pg-boss, and stops it. */
export async function withBoss<T>(
  database: BenchDatabase,
  options: { readonly connections: number },
  work: (boss: PgBoss) => Promise<T>,
): Promise<T> {
  const boss = await startBoss(database, options);
  try {
    return await work(boss);
  } finally {
    await boss.stop({ graceful: false });
  }
}

/** Puts many jobs into pg-boss, a thousand a statement. */
export async function addToBoss(
  boss: PgBoss,
  jobs: readonly { readonly group?: { readonly id: string } }[],
): Promise<void> {
  for (let first = 0; first < jobs.length; first += 1_000) {
    await boss.insert(PEER_QUEUE, jobs.slice(first, first + 1_000).map((job) => ({ ...job })));
  }
}

/** graphile-worker's side of adding jobs, on the given pool. Its schema is `graphile_worker`. */
export async function withGraphile<T>(
  pgPool: pg.Pool,
  work: (utils: WorkerUtils) => Promise<T>,
): Promise<T> {
  const utils = await makeWorkerUtils({ pgPool, logger: silent });
  try {
    await utils.migrate();
    return await work(utils);
  } finally {
    await utils.release();
  }
}

/** graphile-worker tells every job to its log unless it is given another. */
export const silent: Logger = new Logger(() => () => {});
