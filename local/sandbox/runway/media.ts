import type { IncomingMessage, ServerResponse } from "node:http";
import { makeMp4 } from "../mp4.ts";
import { sendMp4 } from "../send_mp4.ts";
import type { RunwayParts } from "./parts.ts";
import { send } from "../reply.ts";

/** Serves `GET` and `HEAD` of `/media/<task>.mp4?_jwt=<token>`, while the token lives. */
export async function serveRunwayMedia(
  parts: RunwayParts,
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
  const token = new URL(request.url ?? "", "http://sandbox").searchParams.get("_jwt") ?? "";
  const endsAt = task?.links.get(token);
  if (task === undefined || endsAt === undefined) return refuse(404);
  if (clock.now() >= endsAt) return refuse(403);
  if (knobs.draw("mediaMissing", random)) return refuse(404);
  const segments = await makeMp4(task.order, { mark: task.id, bytes: knobs.values.mediaBytes });
  await sendMp4(segments, {
    request,
    response,
    etag: `"${task.id}"`,
    cut: knobs.draw("mediaCut", random),
  });
}
