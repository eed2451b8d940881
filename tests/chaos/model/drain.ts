/** The end of a story: everything goes well from now on, and so everything must come to an end. */
import { type Act, WORKERS } from "./acts.ts";
import type { Play } from "./play.ts";
import { isQueued } from "./queue_rules.ts";
import { attemptsOf, expect, isUnderWay, Unexplained } from "./state.ts";
import { JOBS } from "./worker.ts";

/** Rounds of five minutes; a video needs few, and three go at a time. */
const MOST_ROUNDS = 60;

const WELL = { do: "work", fates: ["taken"], words: ["truth"], copy: "stored" } as const;

/** Plays until nothing is under way, and looks at what is left. Answers how many acts it took. */
export async function drain(play: Play): Promise<number> {
  let acts = 0;
  const act = async (one: Act) => {
    if (await play.act(one)) acts += 1;
  };
  for (const worker of WORKERS) {
    if (play.workers.get(worker)?.waiting) await act({ ...WELL, worker, job: "submit" });
  }
  for (let round = 0; !isOver(play); round++) {
    if (round === MOST_ROUNDS) throw new Unexplained("Some videos never come to an end");
    while (await play.act({ do: "end", task: 0, ending: "succeeded" }));
    await act({ do: "wait", seconds: 310 });
    await act({ do: "maintain" });
    // Each of the three kinds of work, begun and answered.
    for (let n = 0; n < 2 * JOBS.length; n++) await act({ ...WELL, worker: "A", job: "store" });
  }
  checkOutside(play, await play.filesToDelete());
  return acts;
}

function isOver({ model }: Play): boolean {
  for (const { account, video, attempt } of attemptsOf(model)) {
    if (!account.gone && isUnderWay(video)) return false;
    if (isQueued(attempt, "submit-runware") || isQueued(attempt, "store-video")) return false;
  }
  return true;
}

/** What the provider and Storage have in the end, by their own record. */
function checkOutside(
  { model, outside: { provider, objects } }: Play,
  toDelete: readonly string[],
): void {
  for (const { account, video, attempt } of attemptsOf(model)) {
    if (attempt.status === "completed") {
      const endings = provider.tasks.filter((task) => task.attempt === attempt.id)
        .map(({ ending }) => ending);
      expect("A delivered attempt at the provider", endings, ["succeeded"]);
    }
    const path = `${account.id}/videos/${video.id}.mp4`;
    if (video.status === "completed") {
      expect("Files of a completed video", objects.get(path), 1);
    } else if (objects.has(path) && !account.gone) {
      const isToGo = toDelete.some((prefix) => path.startsWith(prefix));
      expect("A file that nobody gets is to be deleted", isToGo, true);
    }
  }
}
