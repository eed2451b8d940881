/** Plays one story: act by act on the real database and on the model, which must agree after each. */
import { maintain } from "../../../shared/stages/maintain.ts";
import { type Family, passTime } from "../../support/fixtures.ts";
import { quiet } from "../../support/sql.ts";
import type { Act, Deed } from "./acts.ts";
import { callOf, makeCall } from "./doors.ts";
import type { Transcript } from "./ear.ts";
import { explain } from "./explain.ts";
import { type Names, newNames } from "./names.ts";
import { overlap, type Side } from "./overlap.ts";
import { openProvider } from "./provider.ts";
import { isInTime, Purchases } from "./purchases.ts";
import { hasWork } from "./queue_rules.ts";
import { takeSnapshot } from "./snapshot.ts";
import type { Stage } from "./stage.ts";
import { count, countHeard } from "./tally.ts";
import { type Model, newModel, PATIENCE_SECONDS, PROVIDERS, type Setting } from "./state.ts";
import { checkWords } from "./words.ts";
import { JOBS, newWorker, type Outside, type Worker } from "./worker.ts";

/** A story on its way. */
export interface Play {
  readonly outside: Outside;
  readonly workers: ReadonlyMap<string, Worker>;
  readonly lines: readonly string[];
  readonly model: Model;
  /** Most of the real time is up that a story may take: what is left must do to bring it to an end. */
  readonly isLate: boolean;
  /** How the names of the files begin that are to be deleted. */
  filesToDelete(): Promise<string[]>;
  /** Plays an act. False when there is nothing to do for it. Throws where the model disagrees. */
  act(act: Act): Promise<boolean>;
}

/** Real time ran away from the story's own clock: the machine was too slow to tell. */
export class Stalled extends Error {
  override name = "Stalled";
}

/** A deed that can be done now. Answers what is to be said of it, and what happened. */
type Plan = Side<{ said: string; heard: Transcript }>;

/** Begins a story on a cleared stage. */
export async function beginPlay(stage: Stage, setting: Setting): Promise<Play> {
  return new StagePlay(stage, await stage.reset(setting), setting);
}

class StagePlay implements Play {
  readonly outside: Outside;
  readonly workers: ReadonlyMap<string, Worker>;
  readonly lines: string[] = [];
  readonly #names: Names = newNames();
  readonly #started = performance.now();
  readonly #purchases = new Purchases();
  #model: Model;

  constructor(
    readonly stage: Stage,
    readonly families: ReadonlyMap<string, Family>,
    setting: Setting,
  ) {
    const { mediaHost } = stage;
    const { choosesTaskId } = PROVIDERS[setting.provider];
    const provider = openProvider({ mediaUrl: `http://${mediaHost}`, choosesTaskId });
    const now = () => this.#model.now;
    this.outside = { provider, choosesTaskId, now, mediaHost, objects: new Map() };
    this.workers = new Map(
      [...stage.workers].map(([name, ear]) => [name, newWorker(name, ear, this.outside)]),
    );
    this.#model = newModel([...families.values()].map((family) => family.userId), setting);
  }

  get isLate(): boolean {
    return performance.now() - this.#started > (PATIENCE_SECONDS - 4) * 1000;
  }

  get model(): Model {
    return this.#model;
  }

  async filesToDelete(): Promise<string[]> {
    const rows = await this.stage.db.query(
      "select d.prefix from app.objects_to_delete d where d.bucket_id = 'videos'",
    );
    return rows.map(({ prefix }) => String(prefix));
  }

  async act(act: Act): Promise<boolean> {
    switch (act.do) {
      case "both":
        return await this.#both(act);
      case "wait":
        this.lines.push(`${act.seconds} seconds pass.`);
        await passTime(this.stage.db, `${act.seconds} seconds`);
        this.#model = { ...this.#model, now: this.#model.now + act.seconds };
        await this.#check([[]]);
        return true;
      case "crash": {
        const worker = this.workers.get(act.worker);
        if (!worker?.waiting) return false;
        const { said } = worker.crash(this.#isInTime(worker) && act.asked ? "asked" : "not asked");
        this.lines.push(`Worker ${act.worker} crashes${said}.`);
        count(this.stage.tally, `worker crashed${said}`);
        this.#checkPurchases();
        return true;
      }
      case "end": {
        const open = this.outside.provider.tasks.filter(({ ending }) => ending === null);
        const task = open.toReversed()[act.task % open.length];
        if (task === undefined) return false;
        this.lines.push(`The provider ends ${this.#names.of(task.id)}: ${act.ending}.`);
        this.outside.provider.end(task.id, act.ending);
        return true;
      }
      default:
        return await this.#alone(act);
    }
  }

  async #alone(deed: Deed): Promise<boolean> {
    const plan = this.#plan(deed, 0);
    if (plan === null) return false;
    const { said, heard } = await plan.run();
    this.lines.push(said);
    await this.#check([heard]);
    return true;
  }

  async #both({ first, at, second }: Act & { do: "both" }): Promise<boolean> {
    const [one, two] = [this.#plan(first, 0), this.#plan(second, 1)];
    if (one === null) return await this.#alone(second);
    if (two === null || one.ear === two.ear) return await this.#alone(first);
    const { stopped, blocked, results: [a, b] } = await overlap(this.stage.db, one, at, two);
    if (stopped) count(this.stage.tally, blocked ? "stopped and waited for" : "stopped and passed");
    const between = blocked ? "which has to wait for it" : "which does not wait for it";
    this.lines.push(
      stopped
        ? `${a.said} In the middle (before statement ${at + 1}): ${b.said} (${between})`
        : `${a.said} Then at once: ${b.said}`,
    );
    await this.#check([a.heard, b.heard]);
    return true;
  }

  async #check(sides: readonly Transcript[]): Promise<void> {
    const snapshot = await takeSnapshot(this.stage.db);
    if (performance.now() - this.#started > (PATIENCE_SECONDS - 1) * 1000) throw new Stalled();
    this.#checkPurchases();
    const { provider } = this.#model.setting;
    for (const side of sides) checkWords(side, { provider, mediaHost: this.stage.mediaHost });
    this.#model = explain(this.#model, sides, snapshot);
    for (const name of this.#model.happened.splice(0)) count(this.stage.tally, name);
    this.#names.learn(this.#model);
    for (const heard of sides.flat()) countHeard(this.stage.tally, heard);
  }

  #checkPurchases(): void {
    const before = this.#purchases.late;
    this.#purchases.check(this.#model, this.outside.provider.tasks);
    const more = this.#purchases.late - before;
    if (more > 0) count(this.stage.tally, "bought while it was ended", more);
  }

  /** Whether the worker is in time to hand over what it has. */
  #isInTime({ waiting }: Worker): boolean {
    if (waiting?.job !== "submit") return true;
    return waiting.ids.every((id) => isInTime(this.#model, { attempt: id, node: waiting.node }));
  }

  #plan(deed: Deed, side: 0 | 1): Plan | null {
    const door = this.stage.doors[side];
    switch (deed.do) {
      case "work":
        return this.#workPlan(deed);
      case "maintain":
        return {
          ear: door,
          run: async () => {
            const { database, queue } = door;
            await maintain({ database, queue, node: "maintainer", log: quiet });
            return { said: "Maintenance runs.", heard: door.take() };
          },
        };
      default: {
        const { provider } = this.outside;
        const people = {
          ...{ families: this.families, names: this.#names, model: this.#model },
          provider,
        };
        const call = callOf(deed, people);
        return call && {
          ear: door,
          run: async () => {
            const { said, heard } = await makeCall(door.database, call);
            door.take();
            return { said, heard: [{ ...heard, commit: 1 }] };
          },
        };
      }
    }
  }

  #workPlan(deed: Deed & { do: "work" }): Plan | null {
    const worker = this.workers.get(deed.worker);
    const job = [deed.job, ...JOBS].find((one) => hasWork(this.#model, one));
    if (worker === undefined || (worker.waiting === null && job === undefined)) return null;
    const list = () => worker.waiting?.ids.map((id) => this.#names.of(id)).join("; ") ?? "nothing";
    return {
      ear: worker.ear,
      run: async () => {
        let said = "";
        if (worker.waiting === null) {
          const begun = job ?? deed.job;
          await worker.begin(begun);
          said = `Worker ${deed.worker} begins to ${begun}: ${list()}.`;
        } else {
          const answers = { submit: deed.fates, poll: deed.words, store: [deed.copy] };
          const { job } = worker.waiting;
          said = `Worker ${deed.worker} (${job}: ${list()}) is answered: ${
            answers[job].join(", ")
          }.`;
          await worker.goOn(deed);
          if (worker.waiting !== null) said = `${said} The answer is on its way.`;
        }
        return { said, heard: worker.ear.take() };
      },
    };
  }
}
