import pg from "pg";
import type { Caller } from "../credentials.ts";
import { refuse } from "./errors.ts";

/** A row of storage.buckets. */
export interface Bucket {
  readonly id: string;
  readonly name: string;
  readonly public: boolean;
  /** Bytes; pg gives bigint as text. */
  readonly file_size_limit: string | null;
  readonly allowed_mime_types: string[] | null;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** What hosted Storage keeps in `storage.objects.metadata`. */
export interface ObjectMetadata {
  readonly eTag: string;
  readonly size: number;
  readonly mimetype: string;
  readonly cacheControl: string;
  readonly lastModified: string;
  readonly contentLength: number;
  readonly httpStatusCode: number;
}

/** A row of storage.objects. `version` names the file with the content. */
export interface StoredObject {
  readonly id: string;
  readonly bucket_id: string;
  readonly name: string;
  readonly version: string;
  readonly metadata: ObjectMetadata;
  readonly user_metadata: unknown;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly last_accessed_at: Date;
}

/** What `writeObject` is to record. */
export interface NewObject {
  readonly bucket: string;
  readonly name: string;
  readonly version: string;
  readonly metadata: ObjectMetadata | null;
  readonly userMetadata: unknown;
  readonly mode: "insert" | "upsert" | "update";
}

const API_ROLES: ReadonlySet<string> = new Set(["anon", "authenticated", "service_role"]);

/**
 * Runs `work` in a transaction as `caller`, so that the policies on storage.objects decide, exactly
 * as on hosted Supabase. `operation` is what policies see in `storage.operation()`.
 */
export async function asCaller<T>(
  pool: pg.Pool,
  { caller, operation }: { readonly caller: Caller; readonly operation: string },
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  if (!API_ROLES.has(caller.role)) throw refuse.forbidden();
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query(
      `select set_config('role', $1, true), set_config('request.jwt.claims', $2, true),
              set_config('request.jwt.claim.sub', $3, true), set_config('storage.operation', $4, true)`,
      [
        caller.role,
        JSON.stringify(caller.claims ?? { role: caller.role }),
        caller.claims?.sub ?? "",
        `storage.${operation}`,
      ],
    );
    const result = await work(client);
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw explain(error);
  } finally {
    client.release();
  }
}

/** The bucket, whoever may see it: its settings apply to everybody. */
export async function findBucket(database: pg.Pool, id: string): Promise<Bucket> {
  const { rows } = await database.query<Bucket>("select * from storage.buckets where id = $1", [
    id,
  ]);
  if (!rows[0]) throw refuse.noBucket();
  return rows[0];
}

/** The object if it exists and the role of `client` may read it. */
export async function findObject(
  client: pg.Pool | pg.ClientBase,
  bucket: string,
  name: string,
): Promise<StoredObject> {
  const { rows } = await client.query<StoredObject>(
    "select * from storage.objects where bucket_id = $1 and name = $2",
    [bucket, name],
  );
  if (!rows[0]) throw refuse.noObject();
  return rows[0];
}

/** Records an object as the caller; returns its id and the file version it replaces. */
export async function writeObject(
  client: pg.ClientBase,
  object: NewObject,
  caller: Caller,
): Promise<{ id: string; replaced: string | null }> {
  const existing = object.mode === "insert" ? undefined : await lockObject(client, object);
  if (object.mode === "update" && !existing) throw refuse.noObject();
  const id = existing?.id ?? crypto.randomUUID();
  // No RETURNING: it would demand a policy for reading from those who may only write.
  await client.query(
    `insert into storage.objects
       (id, bucket_id, name, owner, owner_id, version, metadata, user_metadata)
     values ($1, $2, $3, $4::uuid, $4, $5, $6, $7)` + (object.mode === "insert" ? "" : `
     on conflict (bucket_id, name) do update
     set version = excluded.version, metadata = excluded.metadata, owner = excluded.owner,
         owner_id = excluded.owner_id, user_metadata = excluded.user_metadata, updated_at = now()`),
    [
      id,
      object.bucket,
      object.name,
      caller.claims?.sub ?? null,
      object.version,
      object.metadata,
      object.userMetadata ?? null,
    ],
  );
  return { id, replaced: existing?.version ?? null };
}

async function lockObject(
  client: pg.ClientBase,
  { bucket, name }: NewObject,
): Promise<{ id: string; version: string } | undefined> {
  const { rows } = await client.query<{ id: string; version: string }>(
    "select id, version from storage.objects where bucket_id = $1 and name = $2 for update",
    [bucket, name],
  );
  return rows[0];
}

/** Removes what the role of `client` may remove; returns the removed rows. */
export async function deleteObjects(
  client: pg.ClientBase,
  bucket: string,
  names: readonly string[],
): Promise<StoredObject[]> {
  const { rows } = await client.query<StoredObject>(
    "delete from storage.objects where bucket_id = $1 and name = any ($2) returning *",
    [bucket, names],
  );
  return rows;
}

function explain(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError)) return error;
  if (error.code === "23505") return refuse.duplicate();
  if (error.code === "42501") return refuse.forbidden();
  if (error.code === "23503") return refuse.noBucket();
  return error;
}
