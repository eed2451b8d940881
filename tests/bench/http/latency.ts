/** latency: an idle system, one video: from the app's call to the provider's word that it has it. */
import { sleep } from "../../../shared/sleep.ts";
import { type Bench, inTime, p, row, until } from "../bench.ts";
import { assertOurs } from "./books.ts";
import { number, people, type Person, queueOne, type Site, withOurs } from "./sites.ts";

const SAMPLES = 30;
const WARM_UP = 3;
/** Without the doorbell cron finds the video, as it does every ten seconds; samples fall anywhere in between. */
const CRON_SECONDS = 10;
const CRON_SAMPLES = 19;
const CRON_EVERY_MS = 500;

export const latency: Bench = {
  name: "latency",
  run({ server }) {
    const options = { runware: { knobs: { manual: true } } } as const;
    return withOurs(server, options, async (site) => {
      await site.db.query("select app.schedule_cron($1)", [CRON_SECONDS]);
      const [person] = await people(site, 1);
      if (person === undefined) throw new Error("Nobody signed up");
      const rung: number[] = [];
      for (let n = 0; n < WARM_UP + SAMPLES; n++) {
        const waited = await sample(site, person);
        if (n >= WARM_UP) rung.push(waited);
        await idle(site);
      }
      await leaveItToCron(site);
      const found = await cronOnly(site, person);
      await assertOurs(site);
      return [
        row({
          name: "latency p50",
          ours: p(rung, 0.5),
          peer: p(found, 0.5),
          peerName: "cron only",
          unit: "ms",
          goal: "printed",
          note: `${SAMPLES} samples, cron only ${CRON_SAMPLES}; cron runs every ${CRON_SECONDS} s`,
        }),
        row({ name: "latency p95", ours: p(rung, 0.95), unit: "ms", goal: { atMost: 250 } }),
        row({
          name: "latency p95, to cron only",
          ours: p(rung, 0.95),
          peer: p(found, 0.95),
          peerName: "cron only",
          unit: "ms",
          goal: { ratioAtMost: 1 / 10 },
        }),
      ];
    });
  },
};

/** Milliseconds from the app's call until the provider has accepted. */
async function sample(site: Site, person: Person): Promise<number> {
  const before = site.sandbox.control.state().counts.tasksAccepted;
  const started = performance.now();
  await Promise.all([
    queueOne(site, person),
    inTime(
      "the provider accepts",
      site.sandbox.control.waitFor(({ counts }) => counts.tasksAccepted > before),
    ),
  ]);
  return performance.now() - started;
}

/** Until no worker is at it any more. */
async function idle(site: Site): Promise<void> {
  const working = "select count(*) from app.drainers where stage = 'submit'";
  await until("nobody works", async () => await number(site, working) === 0, { everyMs: 10 });
}

/** To whoever queues, somebody seems to be at it already and needs no ring; cron sees room for one more. */
async function leaveItToCron(site: Site): Promise<void> {
  await site.db.query("update app.stages set drainers = 2 where name = 'submit'");
  await site.db.query(
    "insert into app.drainers (stage, node, lease_until) values ('submit', 'bench', now() + interval '1 hour')",
  );
}

/** A video every half second between two of cron's looks, each timed until its own acceptance. */
async function cronOnly(site: Site, person: Person): Promise<number[]> {
  const { control } = site.sandbox;
  const looks = () =>
    number(
      site,
      `select count(*) from cron.job_run_details d join cron.job j using (jobid)
       where j.jobname = 'gemreel-tick' and d.end_time is not null`,
    );
  const looked = await looks();
  await until("cron has looked", async () => await looks() > looked);
  const before = control.state().counts.tasksAccepted;
  const waits = Array.from({ length: CRON_SAMPLES }, async (_, n) => {
    await sleep(n * CRON_EVERY_MS);
    const started = performance.now();
    await queueOne(site, person);
    // In the order of queueing, since all are alike and of one user.
    const accepted = control.waitFor(({ counts }) => counts.tasksAccepted > before + n);
    await inTime("the provider accepts", accepted);
    return performance.now() - started;
  });
  return await Promise.all(waits);
}
