import { withBase } from "./crash/base.ts";
import { withLane } from "./crash/lane.ts";
import { play, recover, Staff } from "./crash/play.ts";
import { SCENARIOS } from "./crash/scenario.ts";
import { World } from "./crash/world.ts";
import { faultsOf } from "./crash/checks.ts";
Deno.test({
  name: "rec",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    for (const scenario of SCENARIOS) {
      await withBase(scenario, (base) =>
        withLane(base, async (lane) => {
          const staff = new Staff();
          let t = performance.now();
          const lap = (s: string) => {
            console.log(s, Math.round(performance.now() - t));
            t = performance.now();
          };
          await lane.fresh(base, async (db) => {
            lap("fresh");
            const world = new World(base, db, lane.sandbox);
            const c = await play({ lane, db, world, staff }, scenario, null);
            lap("play");
            c.forEach((x, i) => console.log(i + 1, x.name));
            await recover({ lane, db, world, staff });
            lap("recover");
            console.log(await faultsOf({ base, lane, db, world }));
            lap("faults");
          });
          await lane.fresh(base, async () => {});
          lap("fresh");
          await staff.dismiss();
        }));
    }
  },
});
