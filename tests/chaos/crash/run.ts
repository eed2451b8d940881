/** One run: a worker dies at a point, others take over, and everything is looked at. */
import { brokenInvariants } from "../../support/fixtures.ts";
import type { Base } from "./base.ts";
import { faultsOf } from "./checks.ts";
import type { Lane } from "./lane.ts";
import { play, recover, type Staff } from "./play.ts";
import type { Crossing, Fuse } from "./protocol.ts";
import { Killed } from "./worker_process.ts";
import { World } from "./world.ts";

/** Where a run is played, and by whom. */
export interface Place {
  readonly base: Base;
  readonly lane: Lane;
  readonly staff: Staff;
}

/** Plays the scenario to its end. Answers every crossing; throws when even that leaves a fault. */
export async function record({ base, lane, staff }: Place): Promise<Crossing[]> {
  let crossings: Crossing[] = [];
  await lane.fresh(base, async (db) => {
    const world = new World(base, db, lane.shopOf(base.scenario));
    crossings = await play({ lane, db, world, staff }, base.scenario, null);
    await recover({ lane, db, world, staff }, base.scenario);
    const faults = await faultsOf({ base, lane, db, world, doubt: false });
    if (faults.length > 0) throw new Error(`Undisturbed, "${base.scenario.name}": ${faults}`);
  });
  return crossings;
}

/**
 * Kills a worker at `at`, and one more for each of `later` that is reached. Answers what is wrong
 * afterwards, in sentences; none when the point was survived.
 */
export async function crash(
  { base, lane, staff }: Place,
  at: string,
  later: readonly Fuse[] = [],
): Promise<string[]> {
  const faults: string[] = [];
  await lane.fresh(base, async (db) => {
    const world = new World(base, db, lane.shopOf(base.scenario));
    let doubt = later.length > 0;
    const stage = { lane, db, world, staff };
    const known = (await brokenInvariants(db)).map((row) => JSON.stringify(row));
    try {
      await play(stage, base.scenario, { at });
      faults.push("The point was not reached");
      return;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      doubt ||= error.at.stage === "submit";
    }
    // Not even a moment after a death may the books be wrong, but for what the story began with.
    const broken = (await brokenInvariants(db)).map((row) => JSON.stringify(row));
    faults.push(
      ...broken.filter((row) => !known.includes(row)).map((row) => `Right after the death: ${row}`),
    );
    await recover(stage, base.scenario, later);
    faults.push(...await faultsOf({ base, lane, db, world, doubt }));
  }).catch((error: unknown) => {
    faults.push(error instanceof Error ? error.message : String(error));
  });
  return faults;
}
