/** workers: how fast 1, 2 and 4 worker processes hand over what waits, and that none takes another's. */
import { textLines } from "../../../local/lines.ts";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type Bench, expect, interleave, row } from "../bench.ts";
import type { BenchDatabase } from "../database.ts";
import { addBulk } from "./bulk.ts";
import { liftLimits, newCrowd } from "./crowd.ts";
import { assertBooks, finishAll } from "./ours.ts";

const DRAINER = fileURLToPath(new URL("drainer.ts", import.meta.url));
const PROCESSES = 4;
const VIDEOS = 1_500;
const ROUNDS = 3;

export const workers: Bench = {
  name: "workers",
  run: ({ withDatabase }) =>
    withDatabase(async (database) => {
      await liftLimits(database);
      const owners = await newCrowd(database, 500);
      const processes = await Promise.all(
        Array.from({ length: PROCESSES }, () => startProcess(database.url)),
      );
      let videos = 0;
      const drain = async (working: readonly Process[]) => {
        await addBulk(database, { count: VIDEOS, status: "queued", owners });
        videos += VIDEOS;
        const rate = await drainWith(database, working);
        await finishAll(database);
        return rate;
      };
      const rates = await interleave({
        // First, so that in the round that does not count each process has worked.
        four: () => drain(processes),
        two: () => drain(processes.slice(0, 2)),
        one: () => drain(processes.slice(0, 1)),
      }, { rounds: ROUNDS }).finally(() => Promise.all(processes.map((process) => process.stop())));
      await assertBooks(database, { videos });
      const common = { peer: rates.one, peerName: "1 process", unit: "videos/s" };
      const goal = { ratioAtLeast: 0.9 } as const;
      return [
        row({ name: "workers, 2 processes", ours: rates.two, goal, ...common }),
        row({ name: "workers, 4 processes", ours: rates.four, goal, ...common }),
      ];
    }),
};

/** Answers videos a second, from the word "go" until the last process has found nothing more. */
async function drainWith(
  database: BenchDatabase,
  processes: readonly Process[],
): Promise<number> {
  const begin = performance.now();
  const lists = await Promise.all(processes.map((process) => process.go()));
  const seconds = (performance.now() - begin) / 1_000;
  const handedOver = lists.flat();
  expect("Attempts handed over", handedOver.length, VIDEOS);
  expect("Different ones among them", new Set(handedOver).size, VIDEOS);
  expect(
    "Claimed once each",
    await database.value(
      "select count(*)::int as value from public.video_jobs where status = 'processing' and claim_count = 1",
    ),
    VIDEOS,
  );
  return VIDEOS / seconds;
}

/** A worker in a process of its own. */
interface Process {
  /** Lets it hand over until nothing is left. Answers what it handed over. */
  go(): Promise<string[]>;
  stop(): Promise<void>;
}

/** Starts a process and waits until it is ready. */
async function startProcess(url: string): Promise<Process> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", DRAINER, url],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(textLines())
    .getReader();
  expect("A worker's first line", (await lines.read()).value, "ready");
  const stdin = child.stdin.getWriter();
  return {
    async go() {
      await stdin.write(new TextEncoder().encode("go\n"));
      const { value } = await lines.read();
      return z.array(z.uuid()).parse(JSON.parse(value ?? "null"));
    },
    async stop() {
      await stdin.close();
      await lines.cancel();
      await child.status;
    },
  };
}
