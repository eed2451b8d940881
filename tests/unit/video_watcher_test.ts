import { assertEquals } from "@std/assert";
import type { VideoAnswer } from "../../shared/status/video_state.ts";
import { type Change, createVideoWatcher, type VideoWatcher } from "../../shared/status/watcher.ts";
import { until } from "../support/until.ts";
import { quiet } from "../support/sql.ts";

const video = (id: string, rev: number): VideoAnswer => ({
  video_id: id,
  title: "Twinkle",
  kind: "rhyme",
  status: "processing",
  stage: "generating",
  progress: 40,
  rev,
  message: null,
  eta_seconds: null,
  gem_cost: 10,
  retry_count: 0,
  error_code: null,
  error_message: null,
  duration_seconds: null,
  created_at: "2026-11-21T10:00:00Z",
  completed_at: null,
  estimated_completion: "2026-11-21T10:01:00Z",
  video_url: null,
  thumbnail_url: null,
});

/** A table of revs that is asked by a watcher; null stands for a row that is gone. */
class Table {
  readonly revs = new Map<string, number | null>();
  readonly questions: string[][] = [];
  broken = false;
  /** Videos that cannot be told now. */
  readonly held = new Set<string>();
  readonly watcher: VideoWatcher = createVideoWatcher({
    log: quiet,
    pauseMs: 1,
    pauseAfterErrorMs: 1,
    read: (known) => this.#read(known),
  });
  async *#read(known: ReadonlyMap<string, number>) {
    this.questions.push([...known.keys()]);
    // As long as a real answer takes at least.
    await Promise.resolve();
    if (this.broken) throw new Error("No answer");
    const changes = [...known].flatMap(([id, rev]): Change[] => {
      const now = this.revs.get(id);
      if (now === null) return [{ id, video: null }];
      return now !== undefined && now > rev ? [{ id, video: video(id, now) }] : [];
    });
    yield changes.filter(({ id }) => !this.held.has(id));
    if (changes.some(({ id }) => this.held.has(id))) throw new Error("Storage is away");
  }
  /** Until the table has been asked `more` times from now on. */
  async asked(more: number): Promise<void> {
    const target = this.questions.length + more;
    await until(
      "the questions are asked",
      () => Promise.resolve(this.questions.length >= target || undefined),
    );
  }
}

const tell = (into: string[]) => (changes: readonly Change[]) => {
  into.push(...changes.map(({ id, video }) => `${id}@${video?.rev ?? "gone"}`));
};

Deno.test("one question a tick, however many watch; none when nobody does", async () => {
  const table = new Table();
  for (const id of ["a", "b", "c"]) table.revs.set(id, 1);
  const told: string[][] = [];
  const stops = Array.from({ length: 300 }, (_, index) => {
    const id = ["a", "b", "c"][index % 3] ?? "";
    const mine: string[] = [];
    told.push(mine);
    return table.watcher.watch(new Map([[id, 1]]), tell(mine));
  });
  await table.asked(2);
  for (const asked of table.questions) assertEquals(asked, ["a", "b", "c"]);
  table.revs.set("b", 2);
  await until("the news is told", () => Promise.resolve(told[1]?.length === 1 || undefined));
  assertEquals(told.filter((mine) => mine.length > 0).length, 100);
  assertEquals(told[1], ["b@2"]);
  for (const stop of stops) stop();
  assertEquals(table.watcher.size, 0);
  const asked = table.questions.length;
  // The next watch starts it again; what was asked meanwhile is nothing.
  const stop = table.watcher.watch(new Map([["a", 1]]), tell([]));
  await table.asked(1);
  assertEquals(table.questions.slice(asked)[0], ["a"]);
  stop();
});

Deno.test("each is told what it has not seen, once, and nothing older", async () => {
  const table = new Table();
  table.revs.set("a", 3);
  const late: string[] = [];
  const fresh: string[] = [];
  const stops = [
    table.watcher.watch(new Map([["a", 3]]), tell(fresh)),
    table.watcher.watch(new Map([["a", 1]]), tell(late)),
  ];
  await until("the late one is told", () => Promise.resolve(late.length === 1 || undefined));
  assertEquals([late, fresh], [["a@3"], []]);
  table.revs.set("a", 4);
  await until(
    "both are told",
    () => Promise.resolve(late.length + fresh.length === 3 || undefined),
  );
  await table.asked(2);
  assertEquals([late, fresh], [["a@3", "a@4"], ["a@4"]]);
  for (const stop of stops) stop();
});

Deno.test("a video that is gone is told once and not asked about again", async () => {
  const table = new Table();
  table.revs.set("a", null).set("b", 1);
  const told: string[] = [];
  const stop = table.watcher.watch(new Map([["a", 1], ["b", 1]]), tell(told));
  await until("the end of a is told", () => Promise.resolve(told.length === 1 || undefined));
  await table.asked(2);
  assertEquals([told, table.questions.at(-1)], [["a@gone"], ["b"]]);
  stop();
});

Deno.test("a question that fails loses no news", async () => {
  const table = new Table();
  table.broken = true;
  table.revs.set("a", 2);
  const told: string[] = [];
  const stop = table.watcher.watch(new Map([["a", 1]]), tell(told));
  await table.asked(1);
  table.broken = false;
  await until("the news is told", () => Promise.resolve(told.length === 1 || undefined));
  stop();
});

Deno.test("what cannot be told yet is held back, told later, and keeps no other news waiting", async () => {
  const table = new Table();
  const many = Array.from({ length: 1_500 }, (_, index) => [`v${index}`, 1] as const);
  for (const id of ["v0", "v1", "v1400"]) table.revs.set(id, 2);
  table.held.add("v0");
  const told: string[] = [];
  const stop = table.watcher.watch(new Map(many), tell(told));
  await until("the others are told", () => Promise.resolve(told.length === 2 || undefined));
  await table.asked(4);
  assertEquals(told, ["v1@2", "v1400@2"]);
  table.revs.set("v1", 3);
  await until("the next of them is told", () => Promise.resolve(told.length === 3 || undefined));
  table.held.clear();
  await until("what was held back is told", () => Promise.resolve(told.length === 4 || undefined));
  assertEquals(told.slice(2), ["v1@3", "v0@2"]);
  stop();
});

Deno.test("a thousand videos are one question, more are several", async () => {
  const table = new Table();
  const many = Array.from({ length: 2_500 }, (_, index) => [`v${index}`, 1] as const);
  const stop = table.watcher.watch(new Map(many), tell([]));
  await table.asked(3);
  assertEquals(table.questions.slice(0, 3).map((ids) => ids.length), [1_000, 1_000, 500]);
  stop();
});
