import type pg from "pg";
import { z } from "zod";
import type { Caller } from "../credentials.ts";
import { refuse } from "./errors.ts";
import { asCaller, type Bucket } from "./objects.ts";

const newBucketSchema = z.object({
  name: z.string().min(1),
  id: z.string().min(1).optional(),
  public: z.boolean().default(false),
  file_size_limit: z.coerce.number().int().positive().nullish(),
  allowed_mime_types: z.array(z.string()).nullish(),
});

/**
 * GET /bucket, GET /bucket/<id>, POST /bucket, as far as the policies on storage.buckets let the
 * caller.
 */
export async function serveBuckets(
  request: Request,
  path: string,
  caller: Caller,
  database: pg.Pool,
): Promise<Response> {
  const id = decodeURIComponent(path.slice("/bucket/".length));
  const route = `${request.method} ${id === "" ? "all" : "one"}`;
  if (route === "GET all") return Response.json(await readBuckets(database, caller));
  if (route === "GET one") {
    const bucket = (await readBuckets(database, caller)).find((each) => each.id === id);
    if (!bucket) throw refuse.noBucket();
    return Response.json(bucket);
  }
  if (route === "POST all") return await createBucket(request, database, caller);
  throw refuse.unknownRoute(`${request.method} ${path}`);
}

async function readBuckets(database: pg.Pool, caller: Caller) {
  return await asCaller(database, { caller, operation: "bucket.list" }, async (client) => {
    const { rows } = await client.query<Bucket>("select * from storage.buckets order by id");
    return rows.map(toAnswer);
  });
}

function toAnswer(bucket: Bucket) {
  const limit = bucket.file_size_limit;
  return { ...bucket, file_size_limit: limit === null ? null : Number(limit) };
}

async function createBucket(
  request: Request,
  database: pg.Pool,
  caller: Caller,
): Promise<Response> {
  const body = newBucketSchema.safeParse(await request.json().catch(() => null));
  if (!body.success) throw refuse.invalidParameter(z.prettifyError(body.error));
  const { name, id = name, file_size_limit, allowed_mime_types } = body.data;
  await asCaller(database, { caller, operation: "bucket.create" }, async (client) => {
    await client.query(
      `insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
       values ($1, $2, $3, $4, $5)`,
      [id, name, body.data.public, file_size_limit ?? null, allowed_mime_types ?? null],
    );
  });
  return Response.json({ name: id });
}
