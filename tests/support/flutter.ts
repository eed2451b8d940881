/** What an app in Flutter shows: supabase_flutter's `.stream()`, and what docs/mobile/gemreel.dart does about it. */
import type { SupabaseClient } from "@supabase/supabase-js";
import { z } from "zod";

const rowSchema = z.record(z.string(), z.unknown());
const rowsSchema = z.array(rowSchema);

/** A row as it comes. */
export type Row = z.infer<typeof rowSchema>;

/** What is streamed: rows of a table by one filter, the last of `order` first. */
export interface Query {
  readonly table: string;
  readonly filter: { readonly column: string; readonly value: string };
  readonly order: string;
  readonly limit: number;
}

/** Makes one of two things that `.stream()` begins at once the slower one. */
export interface Delays {
  /** The channel is not joined before this. */
  readonly join?: Promise<void>;
  /** The rows that were selected first do not arrive before this. */
  readonly select?: Promise<void>;
}

/** The rows of a query now. */
export async function select(client: SupabaseClient, query: Query): Promise<Row[]> {
  const { table, filter: { column, value }, order, limit } = query;
  const { data } = await client.from(table).select().eq(column, value)
    .order(order, { ascending: false }).limit(limit).throwOnError();
  return rowsSchema.parse(data);
}

/**
 * The steps of supabase-dart's supabase_stream_builder.dart: it subscribes and selects at once, does not
 * select again when the first subscription holds, replaces all by what a select brings and a row by what a
 * change brings, without comparing them, and adds an inserted row without looking for it.
 */
export class FlutterStream {
  /** The list that was told last. */
  rows: readonly Row[] = [];
  /** When the database has answered the first select, when that was told, when the subscription held. */
  readonly read = Promise.withResolvers<void>();
  readonly selected = Promise.withResolvers<void>();
  readonly subscribed = Promise.withResolvers<void>();
  #data: Row[] = [];

  constructor(
    readonly client: SupabaseClient,
    readonly query: Query,
    readonly told: (rows: readonly Row[]) => void = () => {},
  ) {}

  /** What `listen` does. */
  async listen({ join, select }: Delays = {}): Promise<void> {
    await this.client.realtime.setAuth();
    void this.#select(select);
    if (join === undefined) this.#subscribe();
    else void join.then(() => this.#subscribe());
  }

  async #select(delay?: Promise<void>): Promise<void> {
    const rows = await select(this.client, this.query);
    this.read.resolve();
    await delay;
    this.#data = rows;
    this.#tell();
    this.selected.resolve();
  }

  #subscribe(): void {
    const { table, filter: { column, value } } = this.query;
    const filter = `${column}=eq.${value}`;
    let wasSubscribed = false;
    this.client.channel(`public:${table}:${crypto.randomUUID()}`)
      .on("postgres_changes", { event: "*", schema: "public", table, filter }, (change) => {
        const { id } = change.eventType === "DELETE" ? change.old : rowSchema.parse(change.new);
        const at = this.#data.findIndex((row) => row["id"] === id);
        if (change.eventType === "DELETE") at >= 0 && this.#data.splice(at, 1);
        else if (change.eventType === "UPDATE" && at >= 0) this.#data[at] = change.new;
        else this.#data.push(change.new);
        this.#tell();
      })
      .subscribe((status) => {
        if (status !== "SUBSCRIBED") return;
        if (wasSubscribed) void this.#select();
        wasSubscribed = true;
        this.subscribed.resolve();
      });
  }

  #tell(): void {
    const { order, limit } = this.query;
    this.#data.sort((a, b) => compare(b[order], a[order]));
    this.rows = this.#data.slice(0, limit);
    this.told(this.rows);
  }
}

/** What the videos of a `Newest` must have. */
const videoSchema = z.looseObject({ id: z.string(), rev: z.number(), created_at: z.string() });
type Video = z.infer<typeof videoSchema>;

/** `Newest` of docs/mobile/gemreel.dart, line by line: no Dart is run here. */
export class Newest {
  readonly #videos = new Map<string, Video>();
  readonly #deleted = new Set<string>();
  #streamed = new Set<string>();

  constructor(readonly limit: number) {}

  get videos(): Video[] {
    return [...this.#videos.values()]
      .sort((a, b) => compare(b.created_at, a.created_at) || compare(b.id, a.id))
      .slice(0, this.limit);
  }

  streamed(list: readonly unknown[]): void {
    const rows = z.array(videoSchema).parse(list);
    const ids = new Set(rows.map(({ id }) => id));
    for (const id of this.#streamed.difference(ids)) this.#videos.delete(id);
    this.#streamed = ids;
    for (const row of rows) this.#keep(row);
  }

  look(): (list: readonly unknown[]) => void {
    const before = new Set(this.#videos.keys());
    return (list) => {
      const rows = z.array(videoSchema).parse(list);
      for (const row of rows) this.#keep(row);
      const end = rows.length === this.limit ? rows.at(-1)?.created_at : undefined;
      for (const id of before.difference(new Set(rows.map((row) => row.id)))) {
        const video = this.#videos.get(id);
        if (end !== undefined && video && compare(video.created_at, end) <= 0) continue;
        this.#videos.delete(id);
        this.#deleted.add(id);
      }
    };
  }

  #keep(video: Video): void {
    const shown = this.#videos.get(video.id);
    if (this.#deleted.has(video.id) || (shown && shown.rev >= video.rev)) return;
    this.#videos.set(video.id, video);
  }
}

/** As Dart sorts: numbers and texts among themselves. Times come as texts of one form. */
function compare(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
