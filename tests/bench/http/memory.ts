/** memory: the process that runs the functions, while it stores a video of 200 MB. */
import { type Bench, expect, row } from "../bench.ts";
import { queueMany, takeDoorbellOff } from "./crowd.ts";
import { weigh } from "../../support/processes.ts";
import { callWorker, number, type Site, withOurs } from "./sites.ts";

const BYTES = 200_000_000;
const MEGABYTE = 1_000_000;

export const memory: Bench = {
  name: "memory",
  run({ server }) {
    const options = { cron: false, webhooks: "off", runware: { knobs: { manual: true } } } as const;
    return withOurs(server, options, async (site) => {
      await takeDoorbellOff(site);
      // A small one first: idle is a worker that has worked.
      await storeOne(site, null);
      const { idle, peak } = await weigh("functions_host.ts");
      await storeOne(site, BYTES);
      const most = await peak();
      expect(
        "Bytes stored",
        await number(site, "select max((metadata ->> 'size')::bigint) from storage.objects"),
        BYTES,
      );
      return [
        row({
          name: "memory",
          ours: (most - idle) / MEGABYTE,
          unit: "MB above idle",
          goal: { atMost: 60 },
          note: `resident, a video of ${BYTES / MEGABYTE} MB; idle was ${
            (idle / MEGABYTE).toFixed(0)
          } MB`,
        }),
      ];
    });
  },
};

/** Takes one video from the queue to Storage. */
async function storeOne(site: Site, mediaBytes: number | null): Promise<void> {
  const { control } = site.sandbox;
  control.configure({ mediaBytes });
  await queueMany(site, 1);
  await callWorker(site, "submit-videos?wait=1");
  for (const { taskUUID } of control.state().tasks) control.finish(taskUUID);
  await site.db.query(
    "update public.video_jobs set next_poll_at = now() where status = 'processing'",
  );
  await callWorker(site, "poll-videos?wait=1");
  await callWorker(site, "store-videos?wait=1");
  expect(
    "Not completed",
    await number(site, "select count(*) from public.videos where status <> 'completed'"),
    0,
  );
}
