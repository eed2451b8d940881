import type pg from "pg";
import { z } from "zod";
import type { StoredObject } from "./objects.ts";

/** The body of `POST /object/list/<bucket>`. */
export const listSchema = z.object({
  prefix: z.string().default(""),
  limit: z.int().min(1).max(1000).default(100),
  offset: z.int().min(0).default(0),
  search: z.string().default(""),
  sortBy: z.object({
    column: z.enum(["name", "updated_at", "created_at", "last_accessed_at"]).default("name"),
    order: z.enum(["asc", "desc"]).default("asc"),
  }).prefault({}),
});

/** One line of a listing; a folder has only a name. */
interface Entry {
  readonly name: string;
  readonly id: string | null;
  readonly updated_at: Date | null;
  readonly created_at: Date | null;
  readonly last_accessed_at: Date | null;
  readonly metadata: StoredObject["metadata"] | null;
}

/** One level of the folder `prefix`, as far as the role of `client` may see it. */
export async function listFolder(
  client: pg.ClientBase,
  bucket: string,
  options: z.infer<typeof listSchema>,
): Promise<Entry[]> {
  const folder = options.prefix.replace(/\/+$/, "");
  const start = folder === "" ? "" : `${folder}/`;
  const { rows } = await client.query<StoredObject>(
    "select * from storage.objects where bucket_id = $1 and starts_with(name, $2)",
    [bucket, start + options.search],
  );
  const entries = new Map<string, Entry>();
  for (const row of rows) {
    const [name = "", ...deeper] = row.name.slice(start.length).split("/");
    entries.set(name, deeper.length > 0 ? folderEntry(name) : objectEntry(name, row));
  }
  const { column, order } = options.sortBy;
  const sign = order === "asc" ? 1 : -1;
  return [...entries.values()]
    .sort((a, b) => sign * compare(a[column], b[column]) || compare(a.name, b.name))
    .slice(options.offset, options.offset + options.limit);
}

function folderEntry(name: string): Entry {
  const none = { updated_at: null, created_at: null, last_accessed_at: null };
  return { name, id: null, ...none, metadata: null };
}

function objectEntry(name: string, row: StoredObject): Entry {
  const { id, updated_at, created_at, last_accessed_at, metadata } = row;
  return { name, id, updated_at, created_at, last_accessed_at, metadata };
}

function compare(a: string | Date | null, b: string | Date | null): number {
  const [x, y] = [a ?? "", b ?? ""];
  return x < y ? -1 : x > y ? 1 : 0;
}
