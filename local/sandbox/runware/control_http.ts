import type { IncomingMessage, ServerResponse } from "node:http";
import type { Control } from "./control.ts";
import { isJsonObject, type JsonObject } from "./errors.ts";
import { DEFAULT_KNOBS } from "./knobs.ts";
import { CONTROL_PATH } from "../control_http.ts";
import { KnobError } from "../knob_error.ts";
import { NoSuchTask } from "../no_such_task.ts";
import { readBody } from "../read_body.ts";

const OPERATIONS = [
  "GET /__sandbox/state",
  "GET /__sandbox/config",
  "POST /__sandbox/config {knob: value, …}",
  "POST /__sandbox/reset",
  "POST /__sandbox/advance {ms}",
  "GET /__sandbox/tasks/<taskUUID>",
  "POST /__sandbox/tasks/<taskUUID>/finish",
  "POST /__sandbox/tasks/<taskUUID>/fail {code?, message?}",
  "POST /__sandbox/tasks/<taskUUID>/expire",
  "POST /__sandbox/tasks/<taskUUID>/webhook {any body, or none for the true one}",
] as const;

/** Thrown for a request that the control API cannot carry out. */
class ControlRefusal extends Error {
  constructor(readonly status: number, message: string, readonly more: JsonObject = {}) {
    super(message);
  }
}

/** Serves `/__sandbox/…`: the operations of {@linkcode Control} as JSON. */
export async function serveControl(
  control: Control,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, body } = await carryOut(control, path, request).then(
    (body) => ({ status: 200, body }),
    refusal,
  );
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body, null, 2)}\n`);
}

async function carryOut(control: Control, path: string, request: IncomingMessage) {
  const [, subject = "", id = "", action = ""] = path.slice(CONTROL_PATH.length).split("/");
  const operation = `${request.method} ${subject}${id && "/id"}${action && `/${action}`}`;
  const input = await readJson(request);
  switch (operation) {
    case "GET ":
      return { operations: OPERATIONS };
    case "GET state":
      return control.state();
    case "GET config":
      return control.config();
    case "POST config":
      return control.configure(readObject(input));
    case "POST reset":
      control.reset();
      return control.state();
    case "POST advance":
      control.advance(readMs(input));
      return control.state();
    case "GET tasks/id":
      return control.task(id) ?? raise(new NoSuchTask(id));
    case "POST tasks/id/finish":
      return control.finish(id);
    case "POST tasks/id/fail":
      return control.fail(id, readText(input, "code"), readText(input, "message"));
    case "POST tasks/id/expire":
      return control.expire(id);
    case "POST tasks/id/webhook":
      return await control.webhook(id, input);
    default:
      throw new ControlRefusal(404, `There is no "${request.method} ${path}"`, {
        allowed: OPERATIONS,
      });
  }
}

function refusal(error: unknown): { status: number; body: unknown } {
  const tell = (status: number, more: JsonObject = {}) => ({
    status,
    body: { error: error instanceof Error ? error.message : String(error), ...more },
  });
  if (error instanceof KnobError) return tell(400, { field: error.field, allowed: error.allowed });
  if (error instanceof NoSuchTask) return tell(404);
  if (error instanceof ControlRefusal) return tell(error.status, error.more);
  throw error;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const text = await readBody(request);
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ControlRefusal(400, "The request is not JSON", { cause: String(error) });
  }
}

function readObject(input: unknown): JsonObject {
  if (isJsonObject(input)) return input;
  throw new ControlRefusal(400, "The request must be a JSON object", {
    allowed: Object.keys(DEFAULT_KNOBS),
  });
}

function readMs(input: unknown): number {
  const ms = isJsonObject(input) ? input["ms"] : undefined;
  if (typeof ms === "number" && ms >= 0 && Number.isFinite(ms)) return ms;
  throw new ControlRefusal(400, `"ms" cannot be ${JSON.stringify(ms)}: it must be 0 or more`, {
    field: "ms",
  });
}

function readText(input: unknown, field: string): string | undefined {
  const value = isJsonObject(input) ? input[field] : undefined;
  if (value === undefined || typeof value === "string") return value;
  throw new ControlRefusal(400, `"${field}" must be a text`, { field });
}

function raise(error: Error): never {
  throw error;
}
