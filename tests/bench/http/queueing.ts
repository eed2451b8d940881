/** queue.http: `queue-video` through the gateway, with all that follows from it going on. */
import { type Bench, expect, flood, inTime, mean, p, row } from "../bench.ts";
import { assertOurs } from "./books.ts";
import { number, people, type Person, queueOne, type Site, withBoth } from "./sites.ts";

const CLIENTS = 32;
const ROUNDS = 2;
/** The rate is what is compared, so the slower one may do less of the same. */
const CALLS = { ours: 900, naive: 240 } as const;
const WARM_UP = 64;

export const queueHttp: Bench = {
  name: "queue.http",
  run({ server }) {
    const options = { cron: false, webhooks: "off", runware: { knobs: { manual: true } } } as const;
    return withBoth(server, options, async (ours, naive) => {
      const sites = [ours, naive];
      const crowds = { ours: await people(ours, CLIENTS), naive: await people(naive, CLIENTS) };
      const rates: Record<Site["name"], number[]> = { ours: [], naive: [] };
      const waits: Record<Site["name"], number[]> = { ours: [], naive: [] };
      for (const site of sites) await round(site, crowds[site.name], WARM_UP);
      for (let turn = 0; turn < ROUNDS; turn++) {
        for (const site of turn % 2 === 0 ? sites : sites.toReversed()) {
          const { rate, milliseconds } = await round(site, crowds[site.name], CALLS[site.name]);
          rates[site.name].push(rate);
          waits[site.name].push(...milliseconds);
        }
      }
      const queued = (site: Site) => number(site, "select count(*) from public.videos");
      expect("Videos of ours", await queued(ours), WARM_UP + ROUNDS * CALLS.ours);
      expect("Videos of naive", await queued(naive), WARM_UP + ROUNDS * CALLS.naive);
      await assertOurs(ours);
      return [
        row({
          name: "queue.http",
          ours: mean(rates.ours),
          peer: mean(rates.naive),
          peerName: "naive",
          unit: "requests/s",
          goal: { ratioAtLeast: 3 },
          note: `${CLIENTS} clients; what is queued is handed over meanwhile, in both`,
        }),
        row({
          name: "queue.http p95",
          ours: p(waits.ours, 0.95),
          peer: p(waits.naive, 0.95),
          peerName: "naive",
          unit: "ms",
          goal: { ratioAtMost: 1 / 3 },
        }),
      ];
    });
  },
};

/** Ends when the provider has accepted all, so that the next round starts with nothing under way. */
async function round(site: Site, crowd: readonly Person[], calls: number) {
  const accepted = site.sandbox.control.state().counts.tasksAccepted + calls;
  // A client is a person: nobody queues twice at once.
  const free = [...crowd];
  const result = await flood({ times: calls, inFlight: CLIENTS }, async () => {
    const person = free.pop();
    if (person === undefined) throw new Error("There are fewer people than clients");
    await queueOne(site, person);
    free.push(person);
  });
  const all = site.sandbox.control.waitFor(({ counts }) => counts.tasksAccepted === accepted);
  await inTime("all are accepted", all);
  return result;
}
