import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { makeMp4 } from "../mp4.ts";
import type { Parts } from "./parts.ts";
import { lengthOf, readRange, type Segment } from "../segments.ts";
import type { RenderResult, RenderTask } from "./task.ts";

interface Range {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

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
  await sendFile(segments, { request, response, etag: `"${result.videoUUID}"`, cut });
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

async function sendFile(
  segments: readonly Segment[],
  { request, response, etag, cut }: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly etag: string;
    /** True: the connection is closed half-way. */
    readonly cut: boolean;
  },
): Promise<void> {
  const total = segments.reduce((sum, segment) => sum + lengthOf(segment), 0);
  const range = parseRange(request.headers.range, total);
  const headers = { "content-type": "video/mp4", "accept-ranges": "bytes", etag };
  if (range === "unsatisfiable") {
    response.writeHead(416, { ...headers, "content-range": `bytes */${total}` });
    response.end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: total };
  response.writeHead(range ? 206 : 200, {
    ...headers,
    "content-length": end - start,
    ...(range && { "content-range": `bytes ${start}-${end - 1}/${total}` }),
  });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  const stop = cut ? start + Math.floor((end - start) / 2) : end;
  await pipeline(Readable.from(readRange(segments, start, stop)), response, { end: !cut });
  if (cut) response.socket?.destroy();
}

/** One range of a `Range` header; others than `bytes` are ignored, as RFC 9110 allows. */
function parseRange(header: string | undefined, total: number): Range | "unsatisfiable" | null {
  const match = header?.match(/^bytes=(\d*)-(\d*)$/);
  const [, first = "", last = ""] = match ?? [];
  if (!match || (first === "" && last === "")) return null;
  const start = first === "" ? Math.max(0, total - Number(last)) : Number(first);
  const end = first === "" || last === "" ? total : Math.min(total, Number(last) + 1);
  return start < end ? { start, end } : "unsatisfiable";
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${message}\n`);
}
