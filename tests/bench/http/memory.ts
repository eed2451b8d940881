/** memory: the process that runs the functions, while it stores a video of 200 MB. */
import { type Bench, expect, row } from "../bench.ts";
import { queueMany, takeDoorbellOff } from "./crowd.ts";
import { functionsHost, kilobytes } from "./proc.ts";
import { callWorker, number, type Site, withOurs } from "./sites.ts";

const BYTES = 200_000_000;
const MEGABYTE = 1_000_000;

export const memory: Bench = {
  name: "memory",
  run({ server }) {
    const options = { cron: false, webhooks: "off", sandbox: { knobs: { manual: true } } } as const;
    return withOurs(server, options, async (site) => {
      await takeDoorbellOff(site);
      const pid = await functionsHost();
      // A small one first: idle is a worker that has worked.
      await storeOne(site, null);
      const idle = await kilobytes(pid, "VmRSS") * 1_000;
      // The kernel's own way to forget the peak: proc(5), clear_refs.
      await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5");
      await storeOne(site, BYTES);
      const peak = await kilobytes(pid, "VmHWM") * 1_000;
      expect(
        "Bytes stored",
        await number(site, "select max((metadata ->> 'size')::bigint) from storage.objects"),
        BYTES,
      );
      return [
        row({
          name: "memory",
          ours: (peak - idle) / MEGABYTE,
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
