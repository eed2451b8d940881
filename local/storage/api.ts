import type pg from "pg";
import { z } from "zod";
import type { Caller } from "../credentials.ts";
import { serveBuckets } from "./buckets.ts";
import { serveFile } from "./download.ts";
import { refuse, StorageError } from "./errors.ts";
import { ObjectFiles } from "./files.ts";
import { listFolder, listSchema } from "./list.ts";
import {
  asCaller,
  type Bucket,
  deleteObjects,
  findBucket,
  findObject,
  type NewObject,
  writeObject,
} from "./objects.ts";
import { SignedUrls } from "./signed_urls.ts";
import { readUpload } from "./upload.ts";

const removeSchema = z.object({ prefixes: z.array(z.string()).min(1) });
const signSchema = z.object({ expiresIn: z.int().positive() });
const signManySchema = signSchema.extend({ paths: z.array(z.string()).min(1) });

/** Limit where a bucket sets none: that of the Supabase CLI's local stack. */
const DEFAULT_LIMIT_BYTES = 50 * 1024 * 1024;

/** Names hosted Storage takes: supabase/storage, src/storage/limits.ts. */
const VALID_NAME = /^(\w|\/|!|-|\.|\*|'|\(|\)| |&|\$|@|=|;|:|\+|,|\?)+$/;

/** An object's place, from a path. */
interface Place {
  readonly bucket: string;
  readonly name: string;
}

/**
 * The part of Supabase Storage's API that storage-js uses for private files. Rows live in
 * storage.objects and are read and written as the caller, so policies hold; contents are files.
 */
export class StorageApi {
  readonly #files: ObjectFiles;
  readonly #signed: SignedUrls;

  constructor(
    private readonly database: pg.Pool,
    options: { readonly folder: string; readonly secret: string },
  ) {
    this.#files = new ObjectFiles(options.folder);
    this.#signed = new SignedUrls(options.secret);
  }

  /** Whether a request needs no API key because its URL is signed or its bucket may be public. */
  static isOpen(request: Request): boolean {
    const { pathname } = new URL(request.url);
    const reads = request.method === "GET" || request.method === "HEAD";
    return reads && /^\/storage\/v1\/object\/(sign|public)\//.test(pathname);
  }

  /** `caller` is null for open requests. */
  async handle(request: Request, caller: Caller | null): Promise<Response> {
    try {
      const { pathname } = new URL(request.url);
      const path = pathname.replace(/^\/storage\/v1/, "");
      if (caller === null) return await this.#open(request, path);
      if (path === "/bucket" || path.startsWith("/bucket/")) {
        return await serveBuckets(request, path, caller, this.database);
      }
      return await this.#route(request, path, caller);
    } catch (error) {
      await request.body?.cancel().catch(() => {});
      if (error instanceof StorageError) return error.toResponse();
      throw error;
    }
  }

  async #route(request: Request, path: string, caller: Caller): Promise<Response> {
    const [, area = "", rest = ""] =
      /^\/object\/(?:(list|sign|info|authenticated)\/)?(.+)$/.exec(path) ?? [];
    const route = `${request.method} ${area}`;
    if (rest === "") throw refuse.unknownRoute(`${request.method} ${path}`);
    if (route === "POST list") return await this.#list(request, rest, caller);
    if (route === "POST sign") return await this.#sign(request, rest, caller);
    if (route === "DELETE " && !rest.includes("/")) {
      return await this.#remove(request, rest, caller);
    }
    const place = parsePlace(rest);
    if (route === "GET info") return await this.#info(place, caller);
    if (route === "POST " || route === "PUT ") return await this.#upload(request, place, caller);
    if (route === "DELETE ") return await this.#removeOne(place, caller);
    if (/^(GET|HEAD) (authenticated)?$/.test(route)) {
      return await this.#download(request, place, caller);
    }
    throw refuse.unknownRoute(`${request.method} ${path}`);
  }

  async #open(request: Request, path: string): Promise<Response> {
    const [, kind, rest = ""] = /^\/object\/(sign|public)\/(.+)$/.exec(path) ?? [];
    const place = parsePlace(rest);
    if (kind === "sign") {
      const token = new URL(request.url).searchParams.get("token");
      await this.#signed.check(`${place.bucket}/${place.name}`, token);
    } else if (!(await findBucket(this.database, place.bucket)).public) throw refuse.noBucket();
    const object = await findObject(this.database, place.bucket, place.name);
    return await serveFile(request, object, this.#files);
  }

  async #upload(request: Request, place: Place, caller: Caller): Promise<Response> {
    const bucket = await findBucket(this.database, place.bucket);
    const object: Omit<NewObject, "metadata" | "userMetadata"> = {
      ...place,
      version: crypto.randomUUID(),
      mode: request.method === "PUT"
        ? "update"
        : request.headers.get("x-upsert") === "true"
        ? "upsert"
        : "insert",
    };
    await this.#rehearse({ ...object, metadata: null, userMetadata: null }, caller);
    const upload = await readUpload(request, bucket);
    const written = await this.#files.write(object.version, upload.body, limitOf(bucket));
    const metadata = {
      ...{ eTag: written.eTag, size: written.size, mimetype: upload.mimetype },
      ...{ cacheControl: upload.cacheControl, lastModified: new Date().toISOString() },
      ...{ contentLength: written.size, httpStatusCode: 200 },
    };
    try {
      const { id, replaced } = await this.#as(
        caller,
        `object.${object.mode}`,
        (client) =>
          writeObject(client, { ...object, metadata, userMetadata: upload.userMetadata }, caller),
      );
      if (replaced) await this.#files.remove(replaced);
      return Response.json({ Id: id, Key: `${place.bucket}/${place.name}` });
    } catch (error) {
      await this.#files.remove(object.version);
      throw error;
    }
  }

  /**
   * Refuses what the policies forbid before a byte is stored, by writing the row and taking it
   * back.
   */
  async #rehearse(object: NewObject, caller: Caller): Promise<void> {
    const takenBack = new Error("taken back");
    await this.#as(caller, `object.${object.mode}`, async (client) => {
      await writeObject(client, object, caller);
      throw takenBack;
    }).catch((error: unknown) => {
      if (error !== takenBack) throw error;
    });
  }

  async #download(request: Request, place: Place, caller: Caller): Promise<Response> {
    const object = await this.#as(
      caller,
      "object.get_authenticated",
      (client) => findObject(client, place.bucket, place.name),
    );
    return await serveFile(request, object, this.#files);
  }

  async #info({ bucket, name }: Place, caller: Caller): Promise<Response> {
    const object = await this.#as(
      caller,
      "object.get_info",
      (client) => findObject(client, bucket, name),
    );
    const { metadata, user_metadata, version: _file, ...rest } = object;
    return Response.json({
      ...rest,
      size: metadata.size,
      content_type: metadata.mimetype,
      etag: metadata.eTag,
      cache_control: metadata.cacheControl,
      last_modified: metadata.lastModified,
      metadata: user_metadata ?? {},
    });
  }

  async #list(request: Request, bucket: string, caller: Caller): Promise<Response> {
    const options = await readBody(request, listSchema);
    return Response.json(
      await this.#as(
        caller,
        "object.list",
        (client) => listFolder(client, decodeURIComponent(bucket), options),
      ),
    );
  }

  async #sign(request: Request, rest: string, caller: Caller): Promise<Response> {
    if (!rest.includes("/")) {
      const { expiresIn, paths } = await readBody(request, signManySchema);
      const bucket = decodeURIComponent(rest);
      const results = paths.map(async (name) => {
        const signedURL = await this.#signOne({ bucket, name }, expiresIn, caller).catch(missing);
        const error = signedURL
          ? null
          : "Either the object does not exist or you do not have access to it";
        return { error, path: name, signedURL };
      });
      return Response.json(await Promise.all(results));
    }
    const { expiresIn } = await readBody(request, signSchema);
    return Response.json({ signedURL: await this.#signOne(parsePlace(rest), expiresIn, caller) });
  }

  /** Only who may read an object may sign for it. */
  async #signOne(place: Place, seconds: number, caller: Caller): Promise<string> {
    await this.#as(caller, "object.sign", (client) => findObject(client, place.bucket, place.name));
    return await this.#signed.sign(`${place.bucket}/${place.name}`, seconds);
  }

  async #remove(request: Request, bucket: string, caller: Caller): Promise<Response> {
    const { prefixes } = await readBody(request, removeSchema);
    const removed = await this.#as(
      caller,
      "object.delete_many",
      (client) => deleteObjects(client, decodeURIComponent(bucket), prefixes),
    );
    for (const { version } of removed) await this.#files.remove(version);
    return Response.json(removed);
  }

  async #removeOne({ bucket, name }: Place, caller: Caller): Promise<Response> {
    const [removed] = await this.#as(
      caller,
      "object.delete",
      (client) => deleteObjects(client, bucket, [name]),
    );
    if (!removed) throw refuse.noObject();
    await this.#files.remove(removed.version);
    return Response.json({ message: "Successfully deleted" });
  }

  #as<T>(caller: Caller, operation: string, work: (client: pg.PoolClient) => Promise<T>) {
    return asCaller(this.database, { caller, operation }, work);
  }
}

function missing(error: unknown): null {
  if (error instanceof StorageError) return null;
  throw error;
}

function parsePlace(path: string): Place {
  const [bucket = "", ...segments] = decode(path).split("/");
  const name = segments.join("/");
  if (!VALID_NAME.test(name)) throw refuse.invalidKey(name);
  return { bucket, name };
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw refuse.invalidKey(path);
  }
}

function limitOf(bucket: Bucket): number {
  return bucket.file_size_limit === null ? DEFAULT_LIMIT_BYTES : Number(bucket.file_size_limit);
}

async function readBody<T extends z.ZodType>(request: Request, schema: T): Promise<z.infer<T>> {
  const body = schema.safeParse(await request.json().catch(() => null));
  if (!body.success) throw refuse.invalidParameter(z.prettifyError(body.error));
  return body.data;
}
