import { searchModels } from "./model_search.ts";
import {
  type ApiError,
  type Envelope,
  httpStatusOf,
  isJsonObject,
  type JsonObject,
} from "./errors.ts";
import { refuse, TaskRefusal } from "./fields.ts";
import type { RequestKind } from "./knob_store.ts";
import type { Parts } from "./parts.ts";
import { pollTask, taskDetails } from "./poll.ts";
import type { Random } from "../random.ts";
import { answer, type Reply } from "./reply.ts";
import { earlyFault, lateFault } from "./request_faults.ts";
import { submitVideo } from "./submit.ts";
import { storeMedia, uploadImage } from "./uploads.ts";

type Handler = (
  parts: Parts,
  task: JsonObject,
  taskUUID: string,
) => Envelope | Promise<Envelope>;

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

const HANDLERS: ReadonlyMap<unknown, Handler> = new Map<unknown, Handler>([
  ["videoInference", submitVideo],
  ["getResponse", (parts, _task, taskUUID) => pollTask(parts, taskUUID)],
  ["getTaskDetails", (parts, _task, taskUUID) => one(taskDetails(parts, taskUUID))],
  ["accountManagement", (parts, task, taskUUID) => {
    checkOperation(task);
    return one(parts.account.details(taskUUID));
  }],
  ["imageUpload", (parts, task, id) => one(uploadImage(task, id, parts.mediaUrl()))],
  ["mediaStorage", (parts, task, id) => one(storeMedia(task, id, parts.mediaUrl()))],
  ["modelSearch", (_parts, task, taskUUID) => one(searchModels(task, taskUUID))],
]);

/** What a request asks for, as far as counts and faults care. */
export function kindOf(tasks: readonly unknown[]): RequestKind {
  const types = new Set(tasks.map((task) => isJsonObject(task) ? task["taskType"] : undefined));
  if (types.has("videoInference")) return "submit";
  return types.has("getResponse") ? "poll" : "other";
}

/** Carries out the tasks of one request, whose key was found good, and answers them together. */
export async function answerTasks(parts: Parts, tasks: readonly unknown[]): Promise<Reply> {
  parts.clock.run();
  const kind = kindOf(tasks);
  const reply = earlyFault(parts, kind) ?? await carryOut(parts, tasks, kind);
  await parts.delays.wait(parts.knobs.values.slowReplyMs);
  return reply;
}

async function carryOut(
  parts: Parts,
  tasks: readonly unknown[],
  kind: RequestKind,
): Promise<Reply> {
  const data: JsonObject[] = [];
  const errors: ApiError[] = [];
  const statuses = new Set<number>();
  for (const task of tasks) {
    const outcome = await answerTask(parts, task);
    data.push(...outcome.data ?? []);
    errors.push(...outcome.errors ?? []);
    for (const error of outcome.errors ?? []) statuses.add(statusOf(parts, error));
  }
  const fault = lateFault(parts, kind);
  if (fault) return fault;
  const order = parts.knobs.values.shuffledReplies ? parts.random : undefined;
  return answer(data.length > 0 || errors.length === 0 ? 200 : common(statuses), {
    data: ordered(data, order),
    ...(errors.length > 0 && { errors: ordered(errors, order) }),
  });
}

/** One task is independent of the others: whatever is wrong with it is told in `errors`. */
async function answerTask(parts: Parts, task: unknown): Promise<Envelope> {
  const type = isJsonObject(task) ? task["taskType"] : undefined;
  const id = isJsonObject(task) ? task["taskUUID"] : undefined;
  try {
    if (!isJsonObject(task)) refuse("invalidTask", "A task must be a JSON object.");
    if (type === "ping") return one({ taskType: "ping", pong: true });
    const handler = handlerOf(type);
    return await handler(parts, task, readTaskUUID(id));
  } catch (error) {
    if (!(error instanceof TaskRefusal)) throw error;
    return {
      errors: [{
        ...error.error,
        ...(typeof type === "string" && { taskType: type }),
        ...(typeof id === "string" && { taskUUID: id }),
      }],
    };
  }
}

function handlerOf(type: unknown): Handler {
  const handler = HANDLERS.get(type);
  if (handler) return handler;
  const about = { parameter: "taskType", type: "string", allowedValues: [...HANDLERS.keys()] };
  if (type === undefined) refuse("missingTaskType", "'taskType' is missing.", about);
  refuse("unsupportedTaskType", `There is no task type ${JSON.stringify(type)}.`, about);
}

function readTaskUUID(value: unknown): string {
  const about = { parameter: "taskUUID", type: "string" };
  if (value === undefined) refuse("missingTaskUUID", "'taskUUID' is missing.", about);
  if (typeof value === "string" && UUID_V4.test(value)) return value;
  refuse(
    "invalidTaskUUID",
    `Invalid value ${JSON.stringify(value)} for 'taskUUID': it must be a UUID v4.`,
    about,
  );
}

function checkOperation(task: JsonObject): void {
  if (task["operation"] === "getDetails") return;
  refuse("unsupportedOperation", "'operation' must be 'getDetails'.", {
    parameter: "operation",
    allowedValues: ["getDetails"],
  });
}

/** Failed renders are told with the status that the knob asks for; all else by its code. */
function statusOf(parts: Parts, error: ApiError): number {
  return error.status === "error" ? parts.knobs.values.failedPollStatus : httpStatusOf(error.code);
}

/** The status that all errors share; 400 where they differ. */
function common(statuses: ReadonlySet<number>): number {
  const [status] = statuses;
  return statuses.size === 1 && status !== undefined ? status : 400;
}

function one(item: JsonObject): Envelope {
  return { data: [item] };
}

function ordered<T>(items: readonly T[], random: Random | undefined): readonly T[] {
  if (!random) return items;
  const keyed = items.map((item) => ({ item, key: random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}
