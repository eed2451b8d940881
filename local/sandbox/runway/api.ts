import type { IncomingMessage } from "node:http";
import { parseJson } from "../../json.ts";
import { createPaths, readOrder } from "./create.ts";
import type { RequestFaultName, RequestKind } from "../knobs.ts";
import type { RunwayKnobs } from "./knobs.ts";
import type { RunwayParts } from "./parts.ts";
import { answer, type Reply } from "../reply.ts";
import { problem } from "./problem.ts";
import { isActive, type RunwayTask } from "./tasks.ts";

type FaultName = RequestFaultName<RunwayKnobs>;

const VERSION = "2024-11-06";
const DAY_MS = 24 * 3_600_000;

/** Faults that strike before anything is done, in the order they are looked at. */
const EARLY: readonly (readonly [FaultName, (parts: RunwayParts) => Reply])[] = [
  ["droppedRequest", () => ({ kind: "drop" })],
  ["unauthorized", () => problem(401, "The API key is not valid.")],
  ["insufficientCredits", noCredits],
  ["rateLimit", ({ knobs }) => tooMany(knobs.values.retryAfterSeconds)],
  ["serverError", () => problem(500, "An unexpected error occurred.")],
  ["badGateway", () => answer(502)],
  ["strayNotFound", () => answer(404)],
];

/** Faults that strike after the request was carried out. */
const LATE: readonly (readonly [FaultName, () => Reply])[] = [
  ["lostAck", () => ({ kind: "drop" })],
  ["hungAck", () => ({ kind: "silence" })],
  ["lateServerError", () => problem(500, "An unexpected error occurred.")],
  ["badJson", () => ({ kind: "page" })],
];

/** Answers one request to `/v1/…`; `body` is its text. */
export async function answerRequest(
  parts: RunwayParts,
  request: IncomingMessage,
  path: string,
  body: string,
): Promise<Reply> {
  parts.clock.run();
  parts.counts.calls++;
  const reply = checkHeaders(parts, request) ?? carryOut(parts, request.method ?? "", path, body);
  await parts.delays.wait(parts.knobs.values.slowReplyMs);
  return reply;
}

function checkHeaders({ apiKey }: RunwayParts, { headers }: IncomingMessage): Reply | undefined {
  const { authorization = "", "x-runway-version": version } = headers;
  if (authorization.replace(/^Bearer /i, "") !== apiKey) {
    return problem(401, "The API key is not valid.");
  }
  if (version === VERSION) return undefined;
  return problem(400, `The header X-Runway-Version must be "${VERSION}".`);
}

function carryOut(parts: RunwayParts, method: string, path: string, body: string): Reply {
  const operation = operationOf(method, path, body);
  const early = EARLY.find(([name]) => parts.knobs.drawFor(operation.kind, name, parts.random));
  if (early !== undefined) return early[1](parts);
  const reply = operation.run(parts);
  const late = LATE.find(([name]) => parts.knobs.drawFor(operation.kind, name, parts.random));
  return late === undefined ? reply : late[1]();
}

interface Operation {
  readonly kind: RequestKind;
  readonly run: (parts: RunwayParts) => Reply;
}

function operationOf(method: string, path: string, body: string): Operation {
  const create = Object.keys(createPaths).find((one): one is keyof typeof createPaths =>
    one === path
  );
  const [, id] = path.match(/^\/v1\/tasks\/([^/]+)$/) ?? [];
  if (create !== undefined && method === "POST") {
    return { kind: "submit", run: (parts) => createTask(parts, create, body) };
  }
  if (id !== undefined && method === "GET") {
    return { kind: "poll", run: (parts) => tellTask(parts, id) };
  }
  if (id !== undefined && method === "DELETE") {
    return { kind: "other", run: (parts) => removeTask(parts, id) };
  }
  if (path === "/v1/organization" && method === "GET") return { kind: "other", run: organization };
  const known = create !== undefined || id !== undefined;
  return {
    kind: "other",
    run: () =>
      problem(known ? 405 : 404, known ? "This method is not allowed." : "Nothing is here."),
  };
}

function createTask(parts: RunwayParts, path: keyof typeof createPaths, body: string): Reply {
  const { counts, knobs, tasks, clock } = parts;
  counts.creates++;
  const order = readOrder(path, parseJson(body));
  if ("length" in order) return problem(400, "Validation of body failed", { issues: order });
  const { refuseWord, dailyLimit } = knobs.values;
  if (refuseWord !== null && order.prompt.includes(refuseWord)) {
    return problem(400, "The prompt was refused by content moderation.");
  }
  const reserved = tasks.all().filter(isActive).reduce((sum, one) => sum + one.order.credits, 0);
  if (parts.creditBalance - reserved < order.credits) return noCredits();
  const today = tasks.all().filter((one) =>
    one.order.model === order.model && one.createdAt > clock.now() - DAY_MS
  );
  if (dailyLimit !== null && today.length >= dailyLimit) return tooMany(null);
  counts.accepted++;
  const { id } = tasks.add(order);
  return answer(200, { id, estimatedCost: { credits: order.credits } });
}

function tellTask(parts: RunwayParts, id: string): Reply {
  parts.counts.polls++;
  const task = parts.tasks.get(id);
  if (task === undefined || task.deleted) return problem(404, "The task was not found.");
  return answer(200, describe(parts, task));
}

function removeTask(parts: RunwayParts, id: string): Reply {
  parts.counts.cancels++;
  const task = parts.tasks.get(id);
  if (task === undefined || task.deleted) return problem(404, "The task was not found.");
  parts.tasks.remove(task);
  return answer(204);
}

function describe({ tasks, mediaUrl }: RunwayParts, task: RunwayTask): Record<string, unknown> {
  const { id, status, createdAt, order, cost, failure } = task;
  const credits = { credits: cost ?? order.credits };
  return {
    id,
    status,
    createdAt: new Date(createdAt).toISOString(),
    ...(isActive(task) ? { estimatedCost: credits } : { cost: credits }),
    ...(status === "RUNNING" && { progress: tasks.progressOf(task) }),
    ...(status === "SUCCEEDED" && {
      output: [`${mediaUrl}/${id}.mp4?_jwt=${tasks.link(task)}`],
    }),
    ...(failure !== null && {
      failure: failure.message,
      ...(failure.code !== null && { failureCode: failure.code }),
    }),
  };
}

function organization(parts: RunwayParts): Reply {
  return answer(200, {
    creditBalance: parts.creditBalance,
    tier: { maxMonthlyCreditSpend: 100_000, models: {} },
    usage: { models: {} },
  });
}

function noCredits(): Reply {
  return problem(400, "You do not have enough credits to run this task.");
}

function tooMany(retryAfterSeconds: number | null): Reply {
  const headers = retryAfterSeconds === null
    ? undefined
    : { "retry-after": `${retryAfterSeconds}` };
  return answer(429, { error: "Too many requests." }, headers);
}
