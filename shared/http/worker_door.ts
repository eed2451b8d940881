/**
 * The door of a worker: called with the secret key "cron" by pg_cron's ring or by an operator.
 * Answers 202 once the queue is ready and works on; `?wait=1` answers 200 with what was done, for
 * people and tests.
 */
import { openDatabase } from "../db/database.ts";
import { endDrain, startDrain } from "../db/drain_calls.ts";
import { openQueue } from "../db/queue.ts";
import { databaseUrl } from "../config.ts";
import { createLog, type Log } from "../log.ts";
import { env, nodeName, waitUntil } from "../runtime.ts";
import { drain, type DrainTools } from "../stages/drain.ts";
import { keepPlace } from "../stages/place.ts";
import type { Step, WorkerTools } from "../stages/worker_tools.ts";
import { type EdgeFunction, secretDoor, type Visit } from "./door.ts";

let shared: Pick<WorkerTools, "database" | "queue"> | undefined;

/** One pool and one pg-boss per isolate, opened on first use. */
function isolateTools(): Pick<WorkerTools, "database" | "queue"> {
  if (shared === undefined) {
    const log = createLog({ node: nodeName });
    const database = openDatabase(databaseUrl(env), { log });
    shared = { database, queue: openQueue(database, log) };
  }
  return shared;
}

/** Makes the edge function that drains one stage. */
export function workerDoor(
  name: string,
  { stage, ...ways }: { stage: string } & Pick<DrainTools, "gatherMs" | "lanes" | "budgetMs">,
  step: Step,
): EdgeFunction {
  return secretDoor(name, ["POST"], "cron", async (request, visit) => {
    const tools = {
      ...isolateTools(),
      node: nodeFor(visit),
      log: visit.log,
    };
    await tools.queue.ready();
    const work = drain({ ...tools, ...ways }, stage, (node) => step({ ...tools, node }));
    if (new URL(request.url).searchParams.has("wait")) {
      return Response.json({ success: true, ...await work });
    }
    waitUntil(work.catch((error: unknown) => failed(visit.log, stage, error)));
    return Response.json({ success: true, accepted: true }, { status: 202 });
  });
}

/**
 * Makes the edge function of the maintainer. It waits for the round and answers what it found, or that
 * another round is under way.
 */
export function maintenanceDoor<Report extends object>(
  name: string,
  round: (tools: WorkerTools) => Promise<Report>,
): EdgeFunction {
  return secretDoor(name, ["POST"], "cron", async (_request, visit) => {
    const tools = { ...isolateTools(), node: nodeFor(visit), log: visit.log };
    await tools.queue.ready();
    if (!await startDrain(tools.database, "maintain", tools.node)) {
      return Response.json({ success: true, skipped: "another round is under way" });
    }
    const work = keepingPlace(tools, round);
    // Who rang hangs up after five seconds; the round is done all the same.
    waitUntil(work.catch(() => {}));
    return Response.json({ success: true, ...await work });
  });
}

async function keepingPlace<Report>(
  tools: WorkerTools,
  round: (tools: WorkerTools) => Promise<Report>,
): Promise<Report> {
  const stopRenewing = keepPlace(tools, "maintain");
  try {
    return await round(tools);
  } finally {
    stopRenewing();
    await endDrain(tools.database, "maintain", tools.node);
  }
}

/** Names this worker in leases: one call of one isolate. */
function nodeFor(visit: Visit): string {
  return `${nodeName}-${visit.requestId.slice(0, 8)}`;
}

function failed(log: Log, stage: string, error: unknown): void {
  log.error("Draining failed", {
    stage,
    error,
    stack: error instanceof Error ? error.stack : undefined,
  });
}
