/** The levers of a sandbox over HTTP, at `/__sandbox/…`: what the sandboxes of Runway and KIE share. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { readBody } from "./read_body.ts";
import { answer, type Reply, send } from "./reply.ts";

/** Where the control API is. */
export const CONTROL_PATH = "/__sandbox";

/** What can be done to a sandbox. Each throws for a task that it does not have. */
export interface Levers {
  /** Turns some knobs and leaves the others. */
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
    const input = z.record(z.string(), z.unknown()).parse(body === "" ? {} : JSON.parse(body));
    const text = (field: string) => z.string().optional().parse(input[field]);
    switch (id === "" ? operation : action) {
      case "GET ":
      case "GET /":
        return answer(200, { operations });
      case "GET /state":
        break;
      case "POST /config":
        return answer(200, levers.configure(input));
      case "POST /reset":
        levers.reset();
        break;
      case "POST /advance":
        levers.advance(z.number().nonnegative().parse(input["ms"]));
        break;
      case "finish":
        return answer(200, levers.finish(id));
      case "fail":
        return answer(200, levers.fail(id, text("code"), text("message")));
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
    return answer(400, { error: error instanceof Error ? error.message : String(error) });
  }
}
