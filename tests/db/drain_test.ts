import { assertEquals, assertGreater, assertRejects } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { renewDrain } from "../../shared/db/drain_calls.ts";
import type { Batch } from "../../shared/stages/batch_of_each.ts";
import { drain, type DrainTools } from "../../shared/stages/drain.ts";
import { hangDoorbell, value } from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";

Deno.test("F27 a drain whose time is up stops though there is work, gives up its place and rings", () =>
  withSql(async (db) => {
    await hangDoorbell(db);
    await db.query("select app.enqueue('store-video', gen_random_uuid(), '{}')");
    const drained = async (budget: { budgetMs?: number }) => {
      let time = 0;
      const step = () => {
        time += 15_000;
        return Promise.resolve({ taken: time > 300_000 ? 0 : 1, fullness: 0.1 });
      };
      const report = await drain(
        { database: db, node: "w", now: () => time, ...budget },
        "store",
        step,
      );
      const left = "select count(*)::int as value from app.drainers where node = 'w'";
      assertEquals(await value(db, left), 0);
      return report.batches;
    };
    const rings = () =>
      value(
        db,
        "select count(*)::int as value from net.http_request_queue where url like '%/store-videos'",
      );
    const before = Number(await rings());
    assertEquals(await drained({}), 3);
    assertEquals(await rings(), before + 1);
    assertEquals(await drained({ budgetMs: 10_000 }), 1);
  }));

Deno.test("work that keeps coming in small parts is gathered for longer each time; a full batch is not waited after", () =>
  withSql(async (db) => {
    const batches: Batch[] = [
      ...Array.from({ length: 6 }, () => ({ taken: 1, fullness: 0.01 })),
      { taken: 100, fullness: 1 },
      { taken: 1, fullness: 0.01 },
      ...Array.from({ length: 2 }, () => ({ taken: 75, fullness: 0.75 })),
    ];
    const pauses: number[] = [];
    const pause = (milliseconds: number) => {
      pauses.push(milliseconds);
      return Promise.resolve();
    };
    const tools = { database: db, node: "test", gatherMs: 100, now: () => 0, pause };
    const step = () => Promise.resolve(batches.shift() ?? { taken: 0, fullness: 0 });
    const report = await drain(tools, "poll", step);
    assertEquals(pauses, [100, 200, 400, 800, 1_600, 2_000, 1_000, 2_000, 2_000]);
    assertEquals(report, { batches: 10, work: 257, drained: true });
  }));

interface Begun {
  readonly lane: string;
  readonly end: (fullness: number | Error) => void;
}

/** A step whose batches end when they are told to. No two of them may go by one name. */
function gatedStep() {
  const begun: Begun[] = [];
  const open = new Set<string>();
  let clash: Error | undefined;
  let more = Promise.withResolvers<void>();
  const step = (lane: string) =>
    new Promise<Batch>((resolve, reject) => {
      const end = (fullness: number | Error) => {
        open.delete(lane);
        if (fullness instanceof Error) reject(fullness);
        else resolve({ taken: 100 * fullness, fullness });
      };
      begun.push({ lane, end });
      if (open.has(lane)) clash = new Error(`Two batches at once go by the name "${lane}"`);
      open.add(lane);
      more.resolve();
    });
  /** The next batch that a lane begins. */
  const next = async (wanted: string): Promise<Begun> => {
    for (;;) {
      if (clash !== undefined) throw clash;
      const at = begun.findIndex(({ lane }) => lane === wanted);
      const [found] = at < 0 ? [] : begun.splice(at, 1);
      if (found !== undefined) return found;
      more = Promise.withResolvers();
      await more.promise;
    }
  };
  return { step, next };
}

/** A drain whose first batch was full, so that it has two lanes now. */
async function twoLanes(db: Database, tools: Partial<DrainTools> = {}) {
  const { step, next } = gatedStep();
  const report = drain({ database: db, node: "w", lanes: 2, now: () => 0, ...tools }, "poll", step);
  (await next("w")).end(1);
  return { report, next, main: await next("w") };
}

Deno.test("a full batch brings a second lane, under a name of its own, for as long as its batches are full", () =>
  withSql(async (db) => {
    const { report, next, main } = await twoLanes(db);
    (await next("w lane 2")).end(1);
    (await next("w lane 2")).end(0.5);
    main.end(0.25);
    (await next("w")).end(0);
    assertEquals(await report, { batches: 4, work: 275, drained: true });
    assertEquals(await value(db, "select count(*)::int as value from app.drainers"), 0);
  }));

Deno.test("what fails in the second lane fails the drain, when both lanes have ended", () =>
  withSql(async (db) => {
    const { report, next, main } = await twoLanes(db);
    (await next("w lane 2")).end(new Error("The answer could not be read"));
    main.end(0.1);
    await assertRejects(() => report, Error, "could not be read");
    assertEquals(await value(db, "select count(*)::int as value from app.drainers"), 0);
  }));

for (const how of ["fails", "finds nothing", "is out of time"] as const) {
  Deno.test(`a lane that ${how} waits for the other`, () =>
    withSql(async (db) => {
      const order: string[] = [];
      const watched: Database = {
        ...db,
        query: (text, values) => {
          if (text.includes("end_drain")) order.push("the place is given up");
          return db.query(text, values);
        },
      };
      let time = 0;
      const { report, next, main } = await twoLanes(watched, { now: () => time });
      const over = how === "fails"
        ? assertRejects(() => report, Error, "could not be read")
        : report;
      const other = await next("w lane 2");
      if (how === "is out of time") time = 60_000;
      main.end(
        {
          "fails": new Error("The answer could not be read"),
          "finds nothing": 0,
          "is out of time": 0.5,
        }[how],
      );
      // A question and its answer: whoever does not wait has given up the place by then.
      await db.query("select");
      order.push("the lane ends");
      other.end(0.5);
      await over;
      assertEquals(order, ["the lane ends", "the place is given up"]);
    }));
}

Deno.test("a lane that has lost the place to another worker waits for the other lane as well", () =>
  withSql(async (db) => {
    const order: string[] = [];
    let isLost = false;
    let refused = 0;
    const lost = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const watched: Database = {
      ...db,
      query: async (text, values) => {
        const counts = isLost && text.includes("renew_drain");
        const rows = await db.query(text, values);
        if (counts) {
          // The drain has heard of the first by the second.
          if (++refused === 2) lost.resolve();
        }
        if (text.includes("start_drain") && rows[0]?.["value"] === false) asked.resolve();
        return rows;
      },
    };
    const { report, next, main } = await twoLanes(watched, { renewEveryMs: 1 });
    const over = report.then(() => order.push("the drain is over"));
    const other = await next("w lane 2");
    await db.query("update app.drainers set node = 'another'");
    isLost = true;
    await lost.promise;
    main.end(1);
    await asked.promise;
    // As above: time enough to be over without the lane.
    await db.query("select");
    order.push("the lane ends");
    other.end(0.5);
    await over;
    assertEquals(order, ["the lane ends", "the drain is over"]);
  }));

Deno.test("however long a step takes, the place is kept; given up, it is not taken again", () =>
  withSql(async (db) => {
    const lease = () => value(db, "select lease_until as value from app.drainers where node = 'w'");
    let renewed = Promise.withResolvers<void>();
    const watched: Database = {
      ...db,
      query: async (text, values) => {
        const rows = await db.query(text, values);
        if (text.includes("renew_drain")) renewed.resolve();
        return rows;
      },
    };
    const nextRenewal = () => {
      renewed = Promise.withResolvers();
      return renewed.promise;
    };
    const kept: unknown[] = [];
    const tools = { database: watched, node: "w", renewEveryMs: 1, now: () => 0 };
    await drain(tools, "poll", async () => {
      if (kept.length > 0) return { taken: 0, fullness: 0 };
      kept.push(await lease());
      // One may have begun before.
      await nextRenewal();
      await nextRenewal();
      kept.push(await lease());
      return { taken: 1, fullness: 0.1 };
    });
    assertGreater(Number(kept[1]), Number(kept[0]));
    assertEquals(await renewDrain(db, "poll", "w"), false);
    assertEquals(await lease(), undefined);
  }));
