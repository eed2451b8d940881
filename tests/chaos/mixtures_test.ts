/**
 * The provider misbehaves, in each way alone and in random mixtures: everything ends, refunds are exact,
 * nothing is bought twice.
 *
 * CHAOS_RUNS=n (default 1): n mixtures at each provider. CHAOS_VIDEOS=n: of so many videos, by default 500, but 60
 * in a plain `deno task test`. CHAOS_SEED makes the mixtures' knobs the same ones again; which video meets
 * which fault depends on ids and on who comes first.
 */
import { assertEquals } from "@std/assert";
import { seededRandom } from "../../local/sandbox/random.ts";
import { audit, type Outcome } from "./mixture/audit.ts";
import { KIE_FAULTS, KIE_RECIPE } from "./mixture/kie_faults.ts";
import { describeKnobs, mixtureOf, type Recipe, RUNWARE_RECIPE } from "./mixture/mix.ts";
import { play } from "./mixture/play.ts";
import { RUNWARE_FAULTS } from "./mixture/runware_faults.ts";
import { RUNWAY_FAULTS, RUNWAY_RECIPE } from "./mixture/runway_faults.ts";
import { excessOf, type SingleFault } from "./mixture/single_fault.ts";
import { withSite } from "./mixture/site.ts";
import type { ShopKnobs, ShopName } from "./shops/shop.ts";

interface Provider {
  readonly name: ShopName;
  readonly faults: Readonly<Record<string, SingleFault>>;
  readonly recipe: Recipe<ShopKnobs>;
}
const PROVIDERS: Readonly<Record<ShopName, Provider>> = {
  runware: { name: "runware", faults: RUNWARE_FAULTS, recipe: RUNWARE_RECIPE },
  runway: { name: "runway", faults: RUNWAY_FAULTS, recipe: RUNWAY_RECIPE },
  kie: { name: "kie", faults: KIE_FAULTS, recipe: KIE_RECIPE },
};

const SEED = Deno.env.get("CHAOS_SEED") ?? crypto.randomUUID().slice(0, 8);
const MIXTURES = {
  count: Number(Deno.env.get("CHAOS_RUNS") || 1),
  videos: Number(Deno.env.get("CHAOS_VIDEOS") || 60),
};
/** Enough that a fault of four in ten strikes: that it never does is as likely as 1 in 200,000. */
const VIDEOS_ALONE = 24;
/** Few, so that the later ones are not slowed by the rows of those before. */
const FAULTS_A_SITE = 11;
/** Of the videos of a mixture, that their owners cancel. */
const CANCELLED = 0.08;

function lineOf(name: string, outcome: Outcome): string {
  const { completed, failed, cancelled, refunded, bought, attempts, unknown, rounds, counts } =
    outcome;
  return `${name}: ${completed} completed, ${failed} failed, ${cancelled} cancelled, ` +
    `${refunded} gems refunded, ${bought} tasks bought in ${attempts} attempts, ` +
    `${unknown} in doubt, ${counts.conflicts} handed over again, ${rounds} rounds`;
}

/** All mixtures of one provider in a line, for whoever does not want to add up. */
function sumOf(provider: ShopName, outcomes: readonly Outcome[]): string {
  const sum = (count: (outcome: Outcome) => number) =>
    outcomes.reduce((total, outcome) => total + count(outcome), 0);
  return `${outcomes.length} mixtures of ${MIXTURES.videos} videos at ${provider}, ` +
    `CHAOS_SEED=${SEED}: ${sum((one) => one.completed)} completed, ` +
    `${sum((one) => one.failed)} failed, ${sum((one) => one.cancelled)} cancelled, ` +
    `${sum((one) => one.refunded)} gems refunded, ${sum((one) => one.bought)} tasks bought in ` +
    `${sum((one) => one.attempts)} attempts, ${sum((one) => one.unknown)} in doubt, ` +
    `${sum((one) => one.counts.conflicts)} handed over again, ` +
    `${sum((one) => one.faults.length)} faults`;
}

for (const { name: provider, faults: table, recipe } of Object.values(PROVIDERS)) {
  Deno.test(`each fault of ${provider} alone: every video ends, money right, bought again only after a failure`, async () => {
    const left = Object.entries(table);
    const faults: string[] = [];
    const playSome = () =>
      withSite({ provider, seed: SEED }, async (site) => {
        for (const [name, fault] of left.splice(0, FAULTS_A_SITE)) {
          const { knobs } = fault;
          const random = seededRandom(`${SEED}/${name}`);
          const game = { name, knobs, random, videos: VIDEOS_ALONE, cancelled: 0 };
          const outcome = await audit(site, knobs, await play(site, game));
          console.log(lineOf(`${provider}, ${name}`, outcome));
          const all = [...outcome.faults, ...excessOf(fault, outcome, VIDEOS_ALONE)];
          faults.push(...all.map((text) => `${name}: ${text}`));
        }
      });
    const workOff = async () => {
      while (left.length > 0) await playSome();
    };
    // While one waits for Postgres, the other computes.
    await Promise.all([workOff(), workOff()]);
    assertEquals(faults, []);
  });

  Deno.test(`random mixtures of all faults of ${provider}: every video ends, refunds exact, bought again only after a failure`, async () => {
    const faults: string[] = [];
    const outcomes: Outcome[] = [];
    const videos = MIXTURES.videos;
    for (let nth = 1; nth <= MIXTURES.count; nth++) {
      const seed = `${SEED}/${nth}`;
      const random = seededRandom(seed);
      const knobs = mixtureOf(random, recipe);
      // A site of its own, so that one mixture is not slowed by the rows of those before.
      await withSite({ provider, seed }, async (site) => {
        const name = `Mixture ${seed} of ${provider}`;
        const played = await play(site, { name, knobs, random, videos, cancelled: CANCELLED });
        const outcome = await audit(site, knobs, played);
        // Said at once, since a long run may be cut short before it is asserted.
        console.log(
          `${lineOf(name, outcome)}, ${outcome.faults.length} faults; ` +
            describeKnobs(knobs, recipe),
        );
        for (const text of outcome.faults) console.log(`  ${text}`);
        faults.push(...outcome.faults.map((text) => `${name}: ${text}`));
        outcomes.push(outcome);
      });
    }
    console.log(sumOf(provider, outcomes));
    assertEquals(faults, []);
  });
}
