import { Buffer } from "node:buffer";
import { z } from "zod";
import { refuse } from "./errors.ts";
import type { Bucket } from "./objects.ts";

/** The content of an upload and what the client says about it. */
export interface Upload {
  readonly body: ReadableStream<Uint8Array> | null;
  readonly mimetype: string;
  readonly cacheControl: string;
  readonly userMetadata: unknown;
}

const metadataSchema = z.record(z.string(), z.unknown());

/**
 * Reads an upload in either form storage-js sends: the bare bytes (streamed), or a form when it was
 * given a Blob. Throws a `StorageError` when the bucket doesn't take it.
 */
export async function readUpload(request: Request, bucket: Bucket): Promise<Upload> {
  const type = request.headers.get("content-type") ?? "application/octet-stream";
  const upload = type.startsWith("multipart/form-data")
    ? await readForm(request)
    : readBytes(request, type);
  if (!accepts(bucket, upload.mimetype)) throw refuse.invalidMimeType(upload.mimetype);
  return upload;
}

function readBytes(request: Request, type: string): Upload {
  const metadata = request.headers.get("x-metadata");
  return {
    body: request.body,
    mimetype: type,
    cacheControl: request.headers.get("cache-control") ?? "no-cache",
    userMetadata: metadata === null ? null : parseMetadata(atob(metadata)),
  };
}

async function readForm(request: Request): Promise<Upload> {
  const form = await parseForm(request);
  const file = [...form.values()].find((value) => value instanceof File);
  if (!file) throw refuse.invalidParameter("The form holds no file");
  const seconds = form.get("cacheControl");
  const metadata = form.get("metadata");
  return {
    body: file.stream(),
    mimetype: file.type || "application/octet-stream",
    cacheControl: typeof seconds === "string" ? `max-age=${seconds}` : "no-cache",
    userMetadata: typeof metadata === "string" ? parseMetadata(metadata) : null,
  };
}

/**
 * storage-js gives the file an empty field name, and Deno 2.9 drops such fields when it reads a
 * form. So the field is given a name first: in the part's header only, right after the boundary.
 */
async function parseForm(request: Request): Promise<FormData> {
  const type = request.headers.get("content-type") ?? "";
  const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1] ?? "";
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="`;
  const bytes = Buffer.from(await request.arrayBuffer()).toString("latin1")
    .replaceAll(`${head}"`, `${head}file"`);
  const named = new Response(Buffer.from(bytes, "latin1"), { headers: { "content-type": type } });
  return await named.formData();
}

function parseMetadata(text: string): unknown {
  try {
    return metadataSchema.parse(JSON.parse(text));
  } catch {
    throw refuse.invalidParameter("The metadata is not a JSON object");
  }
}

/** The bucket's list holds types ("video/mp4") and families ("image/*"); null takes everything. */
function accepts(bucket: Bucket, mimetype: string): boolean {
  if (!bucket.allowed_mime_types) return true;
  const [bare = ""] = mimetype.split(";", 1);
  return bucket.allowed_mime_types.some((allowed) =>
    allowed === "*/*" || allowed === bare.trim() ||
    (allowed.endsWith("/*") && bare.startsWith(allowed.slice(0, -1)))
  );
}
