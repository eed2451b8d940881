import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { lengthOf, readRange, type Segment } from "./segments.ts";

interface Range {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** Answers `GET` or `HEAD` with an MP4, or with the part of it that a `Range` header asks for. */
export async function sendMp4(
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
