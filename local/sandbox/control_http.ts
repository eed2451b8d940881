/** The levers of a sandbox over HTTP, at `/__sandbox/…`: what the sandboxes of Runway and KIE share. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { KnobError } from "./knob_error.ts";
import { NoSuchTask } from "./no_such_task.ts";
import { readBody } from "./read_body.ts";
import { answer, type Reply, send } from "./reply.ts";

/** Where the control API is. */
export const CONTROL_PATH = "/__sandbox";

/** What can be done to a sandbox. Each throws a NoSuchTask for a task that it does not have. */
export interface Levers {
  /** All knobs. */
  config(): unknown;
  /** Turns some knobs and leaves the others. Throws a KnobError. */
  configure(changes: Readonly<Record<string, unknown>>): unknown;
  reset(): void;
  advance(ms: number): void;
  /** Everything there is to tell. */
  state(): unknown;
  finish(id: string): unknown;
  fail(id: string, code?: string, message?: string): unknown;
  expire(id: string): void;
  /** Only of a provider that calls back. */
  callBack?(id: string, body?: unknown): Promise<void>;
}

const OPERATIONS = [
  "GET /__sandbox/state",
  "GET /__sandbox/config",
  "POST /__sandbox/config {knob: value, …}",
  "POST /__sandbox/reset",
  "POST /__sandbox/advance {ms}",
  "POST /__sandbox/tasks/<id>/finish",
  "POST /__sandbox/tasks/<id>/fail {code?, message?}",
  "POST /__sandbox/tasks/<id>/expire",
];
const CALL_BACK = "POST /__sandbox/tasks/<id>/callback {any body, or none for the true one}";

/** Whether a path is of the control API. */
export function isControlPath(path: string): boolean {
  return path === CONTROL_PATH || path.startsWith(`${CONTROL_PATH}/`);
}

/** Serves `/__sandbox/…`: the levers as JSON. */
export async function serveControl(
  levers: Levers,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request) ?? "";
  const operation = `${request.method} ${path.slice(CONTROL_PATH.length)}`;
  send(await carryOut(levers, operation, body), response);
}

async function carryOut(levers: Levers, operation: string, body: string): Promise<Reply> {
  const operations = levers.callBack === undefined ? OPERATIONS : [...OPERATIONS, CALL_BACK];
  const unknown = () => answer(404, { error: `There is no "${operation}"`, allowed: operations });
  const [, id = "", action = ""] = operation.match(/^POST \/tasks\/([^/]+)\/(\w+)$/) ?? [];
  try {
    const input = readObject(body);
    switch (id === "" ? operation : action) {
      case "GET ":
      case "GET /":
        return answer(200, { operations });
      case "GET /state":
        break;
      case "GET /config":
        return answer(200, levers.config());
      case "POST /config":
        return answer(200, levers.configure(input));
      case "POST /reset":
        levers.reset();
        break;
      case "POST /advance":
        levers.advance(readMs(input["ms"]));
        break;
      case "finish":
        return answer(200, levers.finish(id));
      case "fail":
        return answer(200, levers.fail(id, readText(input, "code"), readText(input, "message")));
      case "expire":
        levers.expire(id);
        break;
      case "callback":
        if (levers.callBack === undefined) return unknown();
        await levers.callBack(id, body === "" ? undefined : input);
        break;
      default:
        return unknown();
    }
    return answer(200, levers.state());
  } catch (error) {
    const said = { error: error instanceof Error ? error.message : String(error) };
    if (error instanceof NoSuchTask) return answer(404, said);
    if (!(error instanceof KnobError)) return answer(400, said);
    return answer(400, { ...said, field: error.field, allowed: error.allowed });
  }
}

const objectSchema = z.record(z.string(), z.unknown());

/** An empty body is an object without fields. */
function readObject(body: string): Record<string, unknown> {
  if (body === "") return {};
  const { data, success } = objectSchema.safeParse(parseJson(body));
  if (success) return data;
  throw new Error("The request must be a JSON object");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error("The request is not JSON", { cause });
  }
}

function readMs(ms: unknown): number {
  if (typeof ms === "number" && ms >= 0 && Number.isFinite(ms)) return ms;
  throw new Error(`"ms" cannot be ${JSON.stringify(ms)}: it must be 0 or more`);
}

function readText(input: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const value = input[field];
  if (value === undefined || typeof value === "string") return value;
  throw new Error(`"${field}" must be a text`);
}
