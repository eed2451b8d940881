import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { readBody } from "../read_body.ts";
import { answer, type Reply, send } from "../reply.ts";
import type { KieControl } from "./control.ts";

/** Where the control API is. */
export const CONTROL_PATH = "/__sandbox";

const OPERATIONS = [
  "GET /__sandbox/state",
  "POST /__sandbox/config {knob: value, …}",
  "POST /__sandbox/reset",
  "POST /__sandbox/advance {ms}",
  "POST /__sandbox/tasks/<taskId>/finish",
  "POST /__sandbox/tasks/<taskId>/fail {code?, message?}",
  "POST /__sandbox/tasks/<taskId>/expire",
  "POST /__sandbox/tasks/<taskId>/callback {any body, or none for the true one}",
];

const text = z.string().optional();

/** Serves `/__sandbox/…`: the operations of {@linkcode KieControl} as JSON. */
export async function serveKieControl(
  control: KieControl,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request) ?? "";
  const operation = `${request.method} ${path.slice(CONTROL_PATH.length)}`;
  send(await carryOut(control, operation, body), response);
}

async function carryOut(control: KieControl, operation: string, body: string): Promise<Reply> {
  const [, id = "", action = ""] = operation.match(/^POST \/tasks\/([^/]+)\/(\w+)$/) ?? [];
  try {
    const input = z.record(z.string(), z.unknown()).parse(body === "" ? {} : JSON.parse(body));
    switch (id === "" ? operation : action) {
      case "GET ":
      case "GET /":
        return answer(200, { operations: OPERATIONS });
      case "GET /state":
        break;
      case "POST /config":
        return answer(200, control.configure(input));
      case "POST /reset":
        control.reset();
        break;
      case "POST /advance":
        control.advance(z.number().nonnegative().parse(input["ms"]));
        break;
      case "finish":
        return answer(200, control.finish(id));
      case "fail":
        return answer(
          200,
          control.fail(id, text.parse(input["code"]), text.parse(input["message"])),
        );
      case "expire":
        control.expire(id);
        break;
      case "callback":
        await control.callBack(id, body === "" ? undefined : input);
        break;
      default:
        return answer(404, { error: `There is no "${operation}"`, allowed: OPERATIONS });
    }
    return answer(200, control.state());
  } catch (error) {
    return answer(400, { error: error instanceof Error ? error.message : String(error) });
  }
}
