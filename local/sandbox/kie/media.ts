import type { IncomingMessage, ServerResponse } from "node:http";
import { makeMp4 } from "../mp4.ts";
import { send } from "../reply.ts";
import { sendMp4 } from "../send_mp4.ts";
import type { KieParts } from "./parts.ts";

/** Serves `GET` and `HEAD` of `/media/<task>.mp4`, while the link lives. */
export async function serveKieMedia(
  parts: KieParts,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { tasks, knobs, clock, counts, random } = parts;
  const refuse = (status: number) => send({ kind: "answer", status }, response);
  if (request.method !== "GET" && request.method !== "HEAD") return refuse(405);
  clock.run();
  counts.mediaGets++;
  const task = tasks.get(path.replace(/^\/media\/(.*)\.mp4$/, "$1"));
  if (task?.state !== "success" || knobs.draw("mediaMissing", random)) return refuse(404);
  if (clock.now() >= task.urlEndsAt) return refuse(403);
  const { taskId, order } = task;
  const segments = await makeMp4(order.wanted, { mark: taskId, bytes: knobs.values.mediaBytes });
  const cut = knobs.draw("mediaCut", random);
  await sendMp4(segments, { request, response, etag: `"${taskId}"`, cut });
}
