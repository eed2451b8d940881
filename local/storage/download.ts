import { refuse } from "./errors.ts";
import type { ObjectFiles } from "./files.ts";
import type { StoredObject } from "./objects.ts";

/** Answers with the content of `object`, or the part that a Range header asks for. */
export async function serveFile(
  request: Request,
  object: StoredObject,
  files: ObjectFiles,
): Promise<Response> {
  const { size, mimetype, eTag, cacheControl, lastModified } = object.metadata;
  const headers = new Headers({
    "content-type": mimetype,
    "cache-control": cacheControl,
    "accept-ranges": "bytes",
    "last-modified": new Date(lastModified).toUTCString(),
    etag: eTag,
  });
  const download = new URL(request.url).searchParams.get("download");
  if (download !== null) headers.set("content-disposition", attachment(download || object.name));
  const range = parseRange(request.headers.get("range"), size);
  const start = range?.start ?? 0;
  const end = range?.end ?? size - 1;
  if (range) headers.set("content-range", `bytes ${start}-${end}/${size}`);
  headers.set("content-length", String(end - start + 1));
  const empty = request.method === "HEAD" || size === 0;
  const body = empty ? null : await files.read(object.version, start, end);
  return new Response(body, { status: range ? 206 : 200, headers });
}

/**
 * One range of bytes (RFC 9110, 14.1.2), null for the whole; several ranges are answered with the
 * whole.
 */
function parseRange(header: string | null, size: number): { start: number; end: number } | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "");
  if (!match) return null;
  const [, from = "", to = ""] = match;
  if (from === "" && to === "") return null;
  const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (start > end) throw refuse.invalidRange();
  return { start, end };
}

function attachment(name: string): string {
  const file = name.slice(name.lastIndexOf("/") + 1);
  return `attachment; filename*=UTF-8''${encodeURIComponent(file)}`;
}
