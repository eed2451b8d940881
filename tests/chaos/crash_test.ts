/**
 * A worker process is killed at every crossing of its IO ports. The points come from a recorded run,
 * so a new statement or call is a new point by itself.
 *
 * CHAOS_RUNS=n (default 1): n - 1 times 25 more deaths, drawn by CHAOS_SEED, in which a second worker
 * dies somewhere while it brings back what the first one left.
 * Where several crossings are one moment to the world, CHAOS_SEED draws the one to die at.
 * CHAOS_CRASH_SHARE=n (default 1): every nth of the moments, begun anywhere.
 * CHAOS_CRASH_AT="scenario/point": that point alone; "scenario": its points alone.
 */
import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../local/sandbox/random.ts";
import { byHand } from "../support/by_hand.ts";
import { type Base, withBase } from "./crash/base.ts";
import { killAtTheDoor } from "./crash/door_kill.ts";
import { type Lane, withLane } from "./crash/lane.ts";
import { type Moment, momentsOf } from "./crash/moments.ts";
import { Staff } from "./crash/play.ts";
import type { Fuse } from "./crash/protocol.ts";
import { complaintsOf, tableOf, type Trial } from "./crash/report.ts";
import { crash, record } from "./crash/run.ts";
import { SCENARIOS } from "./crash/scenario.ts";

const ROUNDS = Number(Deno.env.get("CHAOS_RUNS") ?? 1);
const SEED = Deno.env.get("CHAOS_SEED") ?? crypto.randomUUID().slice(0, 8);
const ONLY = Deno.env.get("CHAOS_CRASH_AT");
const SHARE = Number(Deno.env.get("CHAOS_CRASH_SHARE") ?? 1);
/** Second deaths that each further run adds. */
const SECOND_DEATHS = 25;
/** A second death comes within this many crossings, about two rounds of recovery. */
const SECOND_WITHIN = 200;

/** One death to be tried. */
interface Plan {
  readonly base: Base;
  readonly moment: Moment;
  /** Which of the moment's crossings the worker dies at. */
  readonly at: string;
  readonly later: readonly Fuse[];
}

Deno.test("F07 F09 F24 F27 F30 a worker killed at any crash point: every video ends, paid once, bought once, stored once, told once", async () => {
  const started = performance.now();
  await withBases(async (bases) => {
    const [first] = bases;
    if (first === undefined) throw new Error(`There is no scenario of "${ONLY}"`);
    const trials: Trial[] = [];
    await withLane(first, async (one) => {
      const plans = await makePlans(bases, one);
      // Two at a time: while one waits for its processes, the other computes.
      await withLane(first, async (other) => {
        await Promise.all([one, other].map((lane) => workOff(plans, lane, trials)));
      });
    });
    console.log(tableOf(trials));
    const seconds = Math.round((performance.now() - started) / 1000);
    const share = SHARE > 1 ? `, every ${SHARE}th of the moments` : "";
    const more = ROUNDS > 1 ? `, CHAOS_RUNS=${ROUNDS} for second deaths` : "";
    console.log(`CHAOS_SEED=${SEED}${share}${more}, ${seconds} s`);
    assertEquals(complaintsOf(trials), []);
    assert(trials.length > 0, `There is no crash point "${ONLY}"`);
  });
});

Deno.test("F07 the functions killed in the middle of queue-video calls: no charge without its video, and each key pays once", async () => {
  await byHand({}, async (app) => {
    for (let paid = 0; paid < 8; paid++) await killAtTheDoor(app, paid);
  });
});

function withBases(work: (bases: Base[]) => Promise<void>): Promise<void> {
  const asked = SCENARIOS.filter(({ name }) => (ONLY ?? name).split("/")[0] === name);
  const nest = (index: number, bases: Base[]): Promise<void> => {
    const scenario = asked[index];
    if (scenario === undefined) return work(bases);
    return withBase(scenario, (base) => nest(index + 1, [...bases, base]));
  };
  return nest(0, []);
}

/** Records each scenario once and plans a death at each of its moments, then the random ones. */
async function makePlans(bases: readonly Base[], lane: Lane): Promise<Plan[]> {
  const staff = new Staff();
  const plans: Plan[] = [];
  const random = seededRandom(SEED);
  try {
    for (const base of bases) {
      const { deadly } = base.scenario;
      const moments = momentsOf(await record({ base, lane, staff }))
        .filter(({ stage }) => deadly === undefined || deadly.some((name) => name === stage));
      for (const moment of moments) plans.push(planAt(base, moment, random));
    }
  } finally {
    await staff.dismiss();
  }
  const wanted = plans.filter(({ base, moment: { crossings } }) =>
    [undefined, base.scenario.name].includes(ONLY) ||
    crossings.some(({ name }) => `${base.scenario.name}/${name}` === ONLY)
  );
  const first = Math.floor(random() * SHARE);
  const tried = wanted.filter((_, nth) => nth % SHARE === first);
  return [...tried, ...secondDeaths(wanted)];
}

function planAt(base: Base, moment: Moment, random: () => number): Plan {
  const names = moment.crossings.map(({ name }) => name);
  const asked = names.find((name) => `${base.scenario.name}/${name}` === ONLY);
  const drawn = names[Math.floor(random() * names.length)];
  return { base, moment, at: asked ?? drawn ?? "", later: [] };
}

/** Points drawn again, each with a death of whoever comes after. */
function secondDeaths(plans: readonly Plan[]): Plan[] {
  const random = seededRandom(SEED);
  const below = (limit: number) => Math.floor(random() * limit);
  return Array.from({ length: (ROUNDS - 1) * SECOND_DEATHS }, () => plans[below(plans.length)])
    .filter((plan) => plan !== undefined)
    .map((plan) => ({ ...plan, later: [{ crossing: 1 + below(SECOND_WITHIN) }] }));
}

async function workOff(plans: Plan[], lane: Lane, trials: Trial[]): Promise<void> {
  const staff = new Staff();
  try {
    for (let plan = plans.shift(); plan; plan = plans.shift()) {
      const { base, moment: { stage, crossings }, at, later } = plan;
      const faults = await crash({ base, lane, staff }, at, later);
      const scenario = base.scenario.name;
      trials.push({ scenario, stage, crossings: crossings.length, at, faults });
      if (trials.length % 100 === 0) console.log(`${trials.length} deaths so far`);
    }
  } finally {
    await staff.dismiss();
  }
}
