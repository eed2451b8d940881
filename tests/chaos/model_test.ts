/**
 * Random stories about gems and states, told on real Postgres with several connections, each line of
 * which a pure model must explain. `CHAOS_RUNS=n` tells n times as many; `CHAOS_SEED` tells others;
 * `CHAOS_SEED` with `CHAOS_PATH` tells one again.
 */
import { assert } from "@std/assert";
import fc from "fast-check";
import { stories } from "./model/acts.ts";
import { tellFailure } from "./model/report.ts";
import { playStory } from "./model/run.ts";
import { withStage } from "./model/stage.ts";
import { count, MUST_HAPPEN, type Tally, tellTally } from "./model/tally.ts";

/** Longest story, in acts, and how many stories each of the lanes tells. About 75 steps a story. */
const LONGEST = 200;
const STORIES = 80;
/** Stories told side by side, each lane in a database of its own. */
const LANES = 2;

const variable = (name: string, otherwise: number) => Number(Deno.env.get(name) || otherwise);

Deno.test("after every step of every story the model, the database and its invariants agree", async () => {
  const seed = variable("CHAOS_SEED", 20261121);
  const path = Deno.env.get("CHAOS_PATH");
  const runs = variable("CHAOS_RUNS", 1);
  const started = performance.now();
  const tally: Tally = new Map();
  const total = { stories: 0, drawn: 0, added: 0 };

  const tell = (lane: number) =>
    withStage(async (stage) => {
      const property = fc.asyncProperty(stories(LONGEST), async (acts) => {
        const { drawn, added } = await playStory(stage, acts);
        total.stories += 1;
        total.drawn += drawn;
        total.added += added;
        if (total.stories % 500 === 0) console.log(`${total.stories} stories so far`);
      });
      const details = await fc.check(property, {
        seed: seed + lane,
        numRuns: path === undefined ? Math.ceil(STORIES * runs) : 1,
        ...(path === undefined ? {} : { path, endOnFailure: true }),
      });
      for (const [name, times] of stage.tally) count(tally, name, times);
      count(tally, "deadlocks", await stage.deadlocks());
      if (details.failed) throw new Error(tellFailure(details));
    });
  const lanes = path === undefined ? LANES : 1;
  const ends = await Promise.allSettled(Array.from({ length: lanes }, (_, lane) => tell(lane)));
  for (const end of ends) if (end.status === "rejected") throw end.reason;

  const steps = total.drawn + total.added;
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(
    `Model: ${total.stories} stories, ${steps} steps (${total.drawn} drawn, ${total.added} to bring ` +
      `all to an end), seed ${seed}, ${seconds} s\n${tellTally(tally)}`,
  );
  if (path !== undefined || runs < 1) return;
  assert(steps >= 10_000, `Only ${steps} steps`);
  for (const name of MUST_HAPPEN) assert(tally.has(name), `"${name}" never happened`);
});
