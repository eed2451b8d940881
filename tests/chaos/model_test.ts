/**
 * Random stories about gems and states, told on real Postgres with several connections, each line of
 * which a pure model must explain. Each run tells others (but for a plain `deno task test`) and prints
 * its seed: `CHAOS_SEED` tells those again, with `CHAOS_PATH` one of them. `CHAOS_RUNS=n` tells n times
 * as many. `CHAOS_SHRINK=no` tells the first bad story as it is.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { seededRandom } from "../../local/sandbox/random.ts";
import { stories } from "./model/acts.ts";
import { tellFailure } from "./model/report.ts";
import { playStory } from "./model/run.ts";
import { withStage } from "./model/stage.ts";
import { count, MUST_HAPPEN, type Tally, tellTally } from "./model/tally.ts";

/** Longest story, in acts, and how many stories each of the lanes tells at a time. About 70 steps a story. */
const LONGEST = 200;
const STORIES = 90;
const LEAST_STEPS = 10_000;
/** Where that was too little, or something rare has not happened, they tell a third as many again. */
const MOST_ROUNDS = 7;
const MORE = 1 / 3;
/** Stories told side by side, each lane in a database of its own. */
const LANES = 2;

const RUNS = Number(Deno.env.get("CHAOS_RUNS") || 1);
const SHRINK = Deno.env.get("CHAOS_SHRINK") || "yes";
const SEED = numberOf(Deno.env.get("CHAOS_SEED") || crypto.randomUUID().slice(0, 8));

/** fast-check takes numbers; the other suites take any word. */
function numberOf(word: string): number {
  return Number.isInteger(Number(word)) ? Number(word) : Math.floor(seededRandom(word)() * 1e9);
}

Deno.test("after every step of every story the model, the database and its invariants agree", async () => {
  const path = Deno.env.get("CHAOS_PATH");
  const started = performance.now();
  const tally: Tally = new Map();
  const total = { stories: 0, drawn: 0, added: 0 };
  /** One bad story is enough: the other lane need not tell its own to the end. */
  let isOver = false;
  const lacking = () => MUST_HAPPEN.filter((name) => !tally.has(name));

  const tell = (seed: number, share: number) =>
    withStage(async (stage) => {
      const property = fc.asyncProperty(stories(LONGEST), async (story) => {
        if (isOver) return;
        const { drawn, added } = await playStory(stage, story);
        total.stories += 1;
        total.drawn += drawn;
        total.added += added;
        if (total.stories % 500 === 0) console.log(`${total.stories} stories so far`);
      });
      const details = await fc.check(property, {
        seed,
        numRuns: path === undefined ? Math.ceil(STORIES * RUNS * share) : 1,
        ...(path === undefined ? {} : { path }),
        endOnFailure: path !== undefined || SHRINK === "no",
      });
      for (const [name, times] of stage.tally) count(tally, name, times);
      count(tally, "deadlocks", await stage.deadlocks());
      if (!details.failed) return;
      isOver = SHRINK === "no";
      throw new Error(tellFailure(details));
    });
  const lanes = path === undefined ? LANES : 1;
  const isPart = path !== undefined || RUNS < 1;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const seeds = Array.from({ length: lanes }, (_, lane) => SEED + round * lanes + lane);
    const share = round === 0 ? 1 : MORE;
    const ends = await Promise.allSettled(seeds.map((seed) => tell(seed, share)));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    const isEnough = total.drawn + total.added >= LEAST_STEPS * RUNS;
    if (isPart || (isEnough && lacking().length === 0)) break;
  }

  const steps = total.drawn + total.added;
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(
    `Model: ${total.stories} stories, ${steps} steps (${total.drawn} drawn, ${total.added} to bring ` +
      `all to an end), CHAOS_SEED=${SEED}, ${seconds} s\n${tellTally(tally)}`,
  );
  if (isPart) return;
  assert(steps >= LEAST_STEPS * RUNS, `Only ${steps} steps`);
  assertEquals(lacking(), [], "These never happened");
});
