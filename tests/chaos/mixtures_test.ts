/**
 * The provider misbehaves, in each way alone and in random mixtures: everything ends, refunds are exact,
 * nothing is bought twice.
 *
 * CHAOS_RUNS=n: n mixtures of 500 videos instead of two of 60. CHAOS_SEED makes the mixtures' knobs the
 * same ones again; which video meets which fault depends on ids and on who comes first.
 */
import { assertEquals } from "@std/assert";
import { seededRandom } from "../../local/sandbox/random.ts";
import { audit, type Outcome } from "./mixture/audit.ts";
import { describeKnobs, mixtureOf } from "./mixture/mix.ts";
import { play } from "./mixture/play.ts";
import { excessOf, SINGLE_FAULTS } from "./mixture/single_faults.ts";
import { withSite } from "./mixture/site.ts";

const RUNS = Deno.env.get("CHAOS_RUNS");
const SEED = Deno.env.get("CHAOS_SEED") ?? crypto.randomUUID().slice(0, 8);
const MIXTURES = RUNS === undefined
  ? { count: 2, videos: 60 }
  : { count: Number(RUNS), videos: 500 };
const VIDEOS_ALONE = 40;
/** Few, so that the later ones are not slowed by the rows of those before. */
const FAULTS_A_SITE = 6;
/** Of the videos of a mixture, that their owners cancel. */
const CANCELLED = 0.08;

function lineOf(name: string, outcome: Outcome): string {
  const { completed, failed, cancelled, refunded, bought, attempts, rounds, counts } = outcome;
  return `${name}: ${completed} completed, ${failed} failed, ${cancelled} cancelled, ` +
    `${refunded} gems refunded, ${bought} tasks bought in ${attempts} attempts, ` +
    `${counts.conflicts} handed over again, ${rounds} rounds`;
}

Deno.test("each fault of the provider alone: every video ends, money right, bought again only after a failure", async () => {
  const left = Object.entries(SINGLE_FAULTS);
  const faults: string[] = [];
  const playSome = () =>
    withSite(SEED, async (site) => {
      for (const [name, fault] of left.splice(0, FAULTS_A_SITE)) {
        const { knobs } = fault;
        const random = seededRandom(`${SEED}/${name}`);
        const game = { name, knobs, random, videos: VIDEOS_ALONE, cancelled: 0 };
        const outcome = await audit(site, knobs, await play(site, game));
        console.log(lineOf(name, outcome));
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

Deno.test("random mixtures of all faults: every video ends, refunds exact, bought again only after a failure", async () => {
  const faults: string[] = [];
  const videos = MIXTURES.videos;
  for (let nth = 1; nth <= MIXTURES.count; nth++) {
    const seed = `${SEED}/${nth}`;
    const random = seededRandom(seed);
    const knobs = mixtureOf(random);
    // A site of its own, so that one mixture is not slowed by the rows of those before.
    await withSite(seed, async (site) => {
      const name = `Mixture ${seed}`;
      const played = await play(site, { name, knobs, random, videos, cancelled: CANCELLED });
      const outcome = await audit(site, knobs, played);
      // Said at once, since a long run may be cut short before it is asserted.
      console.log(
        `${lineOf(name, outcome)}, ${outcome.faults.length} faults; ${describeKnobs(knobs)}`,
      );
      for (const text of outcome.faults) console.log(`  ${text}`);
      faults.push(...outcome.faults.map((text) => `${name}: ${text}`));
    });
  }
  assertEquals(faults, []);
});
