import type { IncomingMessage, ServerResponse } from "node:http";
import { makeMp4 } from "../mp4.ts";
import type { Parts } from "./parts.ts";
import { sendMp4 } from "../send_mp4.ts";
import type { RenderResult, RenderTask } from "./task.ts";

/** Serves `GET` and `HEAD` of `/media/<videoUUID>.mp4`. */
export async function serveMedia(
  parts: Parts,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { counts, knobs, tasks, watchers } = parts;
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refuse(response, 405, "Fetch files with GET or HEAD.");
  }
  parts.clock.run();
  counts.mediaGets++;
  watchers.changed();
  const found = tasks.video(name.replace(/\.mp4$/, ""));
  if (!found || knobs.draw("mediaMissing", parts.random)) {
    return refuse(response, 404, "There is no such file.");
  }
  if (isExpired(parts, found)) {
    return refuse(response, knobs.values.expiredStatus, "This URL has expired.");
  }
  if (knobs.draw("mediaWrongContent", parts.random)) {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end("<!doctype html><title>Sandbox</title><h1>This is not a video</h1>");
    return;
  }
  const { task, result } = found;
  const [width, height] = (task.order.size ?? "1280x720").split("x").map(Number);
  const segments = await makeMp4(
    { width: width ?? 1280, height: height ?? 720, seconds: task.order.seconds },
    { mark: `${task.taskUUID} ${result.videoUUID}`, bytes: knobs.values.mediaBytes },
  );
  const cut = knobs.draw("mediaCut", parts.random);
  await sendMp4(segments, { request, response, etag: `"${result.videoUUID}"`, cut });
}

/** Over by the control API, by the knob, or by the task's own `ttl`. */
function isExpired(
  { knobs, clock }: Parts,
  { task, result }: { readonly task: RenderTask; readonly result: RenderResult },
): boolean {
  const { ttlSeconds } = task.order;
  const life = knobs.values.urlTtlMs ?? (ttlSeconds === undefined ? Infinity : ttlSeconds * 1_000);
  return result.expired || clock.now() >= (result.finishedAt ?? 0) + life;
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${message}\n`);
}
