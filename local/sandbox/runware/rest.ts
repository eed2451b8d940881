import type { IncomingMessage, ServerResponse } from "node:http";
import { answerTasks, kindOf } from "./api.ts";
import { authenticationTask, bearerKey, refusedKey } from "./auth.ts";
import { requestError } from "./errors.ts";
import type { Parts } from "./parts.ts";
import { answer, type Reply } from "./reply.ts";
import { readBody } from "../read_body.ts";

/** Serves `POST /v1`. */
export async function serveRest(
  parts: Parts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reply = request.method === "POST"
    ? await answerPost(parts, await readBody(request), request.headers.authorization)
    : answer(405, requestError("invalidMethod", "Send tasks with POST."), { allow: "POST" });
  sendReply(reply, response);
}

async function answerPost(
  parts: Parts,
  body: string | undefined,
  authorization: string | undefined,
): Promise<Reply> {
  const { counts, apiKey } = parts;
  counts.posts++;
  if (body === undefined) {
    return answer(413, requestError("maxPayloadExceeded", "The request is larger than 64 MiB."));
  }
  const tasks = parseTasks(body);
  if (!Array.isArray(tasks)) return tasks;
  const kind = kindOf(tasks);
  if (kind === "submit") counts.submitPosts++;
  if (tasks.some(isPoll)) counts.pollPosts++;
  const authentication = authenticationTask(tasks);
  const refused = refusedKey(bearerKey(authorization) ?? authentication?.["apiKey"], apiKey);
  if (refused) return refused;
  const reply = await answerTasks(parts, authentication ? tasks.slice(1) : tasks);
  parts.watchers.changed();
  return reply;
}

function parseTasks(body: string): unknown[] | Reply {
  let tasks: unknown;
  try {
    tasks = JSON.parse(body);
  } catch {
    return answer(400, requestError("invalidJson", "The request is not JSON."));
  }
  if (Array.isArray(tasks) && tasks.length > 0) return tasks;
  const message = "The request must be a JSON array of one task or more.";
  return answer(400, requestError("invalidRequest", message, { type: "array" }));
}

function isPoll(task: unknown): boolean {
  return kindOf([task]) === "poll";
}

function sendReply(reply: Reply, response: ServerResponse): void {
  switch (reply.kind) {
    case "answer":
      response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
      response.end(JSON.stringify(reply.body));
      return;
    case "page":
      response.writeHead(reply.status, { "content-type": "text/html; charset=utf-8" });
      response.end(reply.body);
      return;
    case "drop":
      response.socket?.destroy();
      return;
    case "silence":
      // The connection stays open until the client gives up or the sandbox closes.
      return;
  }
}
