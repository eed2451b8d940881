import { assertEquals } from "@std/assert";
import type { VideoProvider } from "../../shared/providers/provider.ts";
import { newFamily, passTime, queueVideo, value } from "../support/fixtures.ts";
import { type Received, withStandIn } from "../support/runware_support.ts";
import { withSql } from "../support/sql.ts";
import { choking, round, statuses } from "../support/submit_rounds.ts";

/** A clock that is moved by hand. Milliseconds. */
function handClock() {
  const at = { wall: 1_800_000_000_000, steady: 5_000 };
  return { at, clock: { wall: () => at.wall, steady: () => at.steady } };
}

for (
  const [what, wall, steady] of [["slept", 40_000, 0], ["worked", -3_600_000, 40_000]] as const
) {
  for (const choosesTaskId of [true, false]) {
    Deno.test(`a worker that ${what} until its lease was nearly over hands nothing over (ids ${choosesTaskId ? "ours" : "theirs"})`, async () => {
      await withSql(async (db) => {
        await db.query("update app.providers set chooses_task_id = $1", [choosesTaskId]);
        await db.query("update app.settings set breaker_failures = 1");
        const family = await newFamily(db, { gems: 10 });
        await queueVideo(db, family);
        const calls: number[] = [];
        const provider = { ...choking({}, calls), choosesTaskId };
        const { at, clock } = handClock();
        const building = () => {
          at.wall += wall;
          at.steady += steady;
        };
        await round(db, provider, { clock, building });
        assertEquals([calls, await statuses(db)], [[], ["pending"]]);
        // It is nobody's fault but ours: the provider does not rest, and the attempt is as good as new.
        assertEquals(await value(db, "select app.free_slots('runware') > 1 as value"), true);
        await passTime(db, "20 seconds");
        await round(db, provider, { clock });
        assertEquals([calls, await statuses(db)], [[1], ["processing"]]);
        assertEquals(await db.query("select * from app.invariants"), []);
      });
    });
  }
}

Deno.test("a batch that is halved stops with the lease, and the rest is handed over again", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 1000 });
    for (let i = 0; i < 12; i++) await queueVideo(db, family);
    const sizes: number[] = [];
    const { at, clock } = handClock();
    const started = at.steady;
    /** Chokes on all, and takes its time for it. */
    const provider: VideoProvider = {
      ...choking({}, []),
      submit(tasks) {
        sizes.push(tasks.length);
        at.steady += 12_000;
        const error = { kind: "server", code: "http_500", message: "oops", raw: null } as const;
        return Promise.resolve(tasks.map(({ id }) => ({ id, outcome: "unknown", error })));
      },
    };
    await round(db, provider, { clock });
    await passTime(db, "1 minute");
    at.steady = started;
    await round(db, provider, { clock });
    assertEquals(sizes, [12, 12, 6]);
    assertEquals(new Set(await statuses(db)), new Set(["claimed"]));
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});

Deno.test("halves come before quarters: most are handed over before the lease ends", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 1000 });
    for (let i = 0; i < 12; i++) await queueVideo(db, family);
    const { at, clock } = handClock();
    const poison: { id?: string } = {};
    const sizes: number[] = [];
    const provider: VideoProvider = {
      ...choking(poison, sizes),
      submit(tasks, how) {
        at.steady += 6_000;
        // The first of all, so that whoever goes deep first finds nothing but it.
        poison.id ??= tasks[0]?.id ?? "";
        return choking(poison, sizes).submit(tasks, how);
      },
    };
    await round(db, provider, { clock });
    await passTime(db, "1 minute");
    sizes.length = 0;
    delete poison.id;
    await round(db, provider, { clock });
    assertEquals(sizes, [12, 6, 6, 3]);
    assertEquals((await statuses(db)).filter((status) => status === "processing").length, 6);
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});

Deno.test("a bad task is looked for while the lease lasts, and what was not sent by then is as good as new", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 1000 });
    for (let i = 0; i < 12; i++) await queueVideo(db, family);
    const { at, clock } = handClock();
    /** Takes twelve seconds to turn a whole call away. */
    const slowly = ({ tasks }: Received) => {
      at.steady += 12_000;
      const error = { code: "invalidPrompt", message: `${tasks.length} prompts` };
      return { status: 400, body: { errors: [error] } };
    };
    await withStandIn(slowly, async ({ provider, received }) => {
      await round(db, provider, { clock });
      // The third would begin after 24 s and may take 26 s, and the lease is one of 45 s.
      assertEquals(received.map(({ tasks }) => tasks.length), [12, 6]);
    });
    assertEquals(new Set(await statuses(db)), new Set(["pending"]));
    await passTime(db, "20 seconds");
    await withStandIn({ body: { data: [] } }, async ({ provider, received }) => {
      await round(db, provider);
      assertEquals(received.map(({ tasks }) => tasks.length), [12]);
    });
    assertEquals(new Set(await statuses(db)), new Set(["processing"]));
    assertEquals(await db.query("select * from app.invariants"), []);
  });
});
