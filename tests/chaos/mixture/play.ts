/** Playing a mixture: videos are queued and cancelled, workers come by, time passes, until all is over. */
import { z } from "zod";
import type { Random } from "../../../local/sandbox/random.ts";
import { modelsOf } from "../../../shared/providers/registry.ts";
import type { Batch } from "../../../shared/stages/batch_of_each.ts";
import { drain } from "../../../shared/stages/drain.ts";
import { maintain } from "../../../shared/stages/maintain.ts";
import { pollAll } from "../../../shared/stages/poll.ts";
import { videoTaskBuilder } from "../../../shared/stages/video_task.ts";
import { storeBatch } from "../../../shared/stages/store.ts";
import { submitAll } from "../../../shared/stages/submit.ts";
import type { WorkerTools } from "../../../shared/stages/worker_tools.ts";
import { sqlState } from "../../../shared/db/database.ts";
import {
  DIDDLE,
  type Family,
  newFamily,
  passTime,
  queueVideo,
  TWINKLE,
  value,
} from "../../support/fixtures.ts";
import { queueAt } from "../shops/queue_at.ts";
import type { ShopKnobs } from "../shops/shop.ts";
import type { Site } from "./site.ts";

/** What is played. */
export interface Game {
  readonly name: string;
  readonly knobs: ShopKnobs;
  readonly videos: number;
  /** Share of the videos that their owners cancel, in one of the first rounds. */
  readonly cancelled: number;
  readonly random: Random;
}

/** What there is to look at when all is over. */
export interface Played {
  readonly families: readonly Family[];
  /** Ids in the order of queueing. */
  readonly videos: readonly string[];
  /** Gems that cancelling promised, by video. */
  readonly promised: ReadonlyMap<string, number>;
  readonly rounds: number;
  /** Why the provider was paused, each reason once. */
  readonly pauses: ReadonlySet<string>;
}

/** Gems everybody begins with: enough for ten of the dearest. */
export const GEMS = 250;
const VIDEOS_EACH = 10;
/** After a first half, the videos come in over so many rounds. */
const ARRIVING_ROUNDS = 3;
const CANCEL_ROUNDS = 6;
/** Far more than any mixture has taken. */
const MOST_ROUNDS = 1_000;
/** The GM code of "can no longer be cancelled". */
const TOO_LATE = "GM006";

const cancelAnswer = z.object({ gems_refunded: z.number() });

/** Plays until every video is over. Throws when that takes more than some hours of the players' time. */
export async function play(site: Site, game: Game): Promise<Played> {
  site.shop.reset();
  site.shop.configure(game.knobs);
  const table = new Table(site, game);
  await table.seat();
  const pauses = new Set<string>();
  // Some are waiting when the workers come, which makes a full batch; the others come in meanwhile.
  await table.act(0);
  let scene = "";
  let quietRounds = 0;
  for (let round = 1;; round++) {
    await Promise.all([table.act(round), work(site)]);
    const reason = await value(
      site.db,
      "select pause_reason as value from app.providers where name = $1",
      [site.shop.name],
    );
    if (typeof reason === "string") pauses.add(reason);
    if (round >= ARRIVING_ROUNDS && await isOver(site)) {
      await echo(site);
      const { families, videos, promised } = table;
      return { families, videos, promised, rounds: round, pauses };
    }
    if (round === MOST_ROUNDS) {
      throw new Error(`${game.name}: not over after ${round} rounds: ${await remains(site)}`);
    }
    const next = await sceneOf(site);
    quietRounds = next === scene ? quietRounds + 1 : 0;
    scene = next;
    await letPass(site, secondsAfter(quietRounds));
  }
}

/**
 * Ten seconds while anything happens, since a provider's links and memory may last no longer than that;
 * more and more, up to ten minutes, while nothing does and only deadlines and holds are waited for.
 */
function secondsAfter(quietRounds: number): number {
  return Math.min(600, Math.round(10 * 1.5 ** Math.max(0, quietRounds - 2)));
}

/** The same text twice: nothing has happened in between but that the provider put us off. */
async function sceneOf({ db, shop }: Site): Promise<string> {
  const rows = await db.query(
    "select j.status, count(*)::int from public.video_jobs j group by j.status order by j.status",
  );
  const { bought, mediaGets } = shop.counts();
  const going = shop.tasks().filter(({ status }) => status === "processing").length;
  return JSON.stringify([rows, going, bought, mediaGets]);
}

/** Time passes for our rows and for the provider alike. */
async function letPass(site: Site, seconds: number): Promise<void> {
  await passTime(site.db, `${seconds} seconds`);
  await site.db.query(
    "update app.providers set pause_reason = null where paused_until <= clock_timestamp()",
  );
  site.shop.advance(seconds * 1_000);
}

/** What cron would start: each isolate drains each stage, and maintain comes by. */
async function work(site: Site): Promise<void> {
  const { providers, store, storage, webhook, incidents, isolates } = site;
  const stages: Record<string, (tools: WorkerTools) => Promise<Batch>> = {
    submit: (tools) =>
      submitAll(tools, providers, async (provider) =>
        videoTaskBuilder({
          models: await modelsOf(provider),
          webhook,
          functionName: `${provider}-webhook`,
          storage,
        })),
    poll: (tools) => pollAll(tools, providers),
    store: (tools) => storeBatch(tools, providers, store),
  };
  const drains = isolates.flatMap((tools) =>
    Object.entries(stages).map(([stage, step]) =>
      drain({ ...tools, lanes: 2 }, stage, (node) => step({ ...tools, node }))
    )
  );
  const ends = await Promise.allSettled([...drains, ...isolates.map((tools) => maintain(tools))]);
  for (const end of ends) {
    if (end.status === "rejected") incidents.push(`A worker threw: ${end.reason}`);
  }
}

/** Whatever is still on its way to us arrives after the end, and everybody looks once more. */
async function echo(site: Site): Promise<void> {
  site.shop.advance(30 * 60_000);
  await site.shop.settled();
  await work(site);
}

async function isOver({ db, shop }: Site): Promise<boolean> {
  return z.boolean().parse(
    await value(
      db,
      `select not exists (
         select 1 from public.videos v where v.status in ('queued', 'processing', 'rendering')
       ) and not exists (
         select 1 from pgboss.job j
         where j.name in (app.submit_queue($1), 'store-video') and j.state <= 'active'
       ) as value`,
      [shop.name],
    ),
  );
}

async function remains({ db }: Site): Promise<string> {
  const rows = await db.query(
    `select v.id, v.status, v.stage, j.attempt, j.status as attempt_status, j.error_code, q.state as queue_state
     from public.videos v
     left join public.video_jobs j on j.video_id = v.id
     left join pgboss.job q on q.id = j.id and q.name = app.submit_queue(j.provider)
     where v.status in ('queued', 'processing', 'rendering') order by v.id, j.attempt limit 20`,
  );
  return JSON.stringify(rows);
}

/** The people: who they are, what they queue and what they cancel. */
class Table {
  readonly families: Family[] = [];
  readonly videos: string[] = [];
  readonly promised = new Map<string, number>();
  /** What is to be cancelled, by round. */
  readonly #regrets = new Map<number, number[]>();

  constructor(private readonly site: Site, private readonly game: Game) {
    for (let nth = 0; nth < game.videos; nth++) {
      if (game.random() >= game.cancelled) continue;
      const round = 1 + Math.floor(game.random() * CANCEL_ROUNDS);
      this.#regrets.set(round, [...this.#regrets.get(round) ?? [], nth]);
    }
  }

  async seat(): Promise<void> {
    const people = Math.ceil(this.game.videos / VIDEOS_EACH);
    for (let nth = 0; nth < people; nth++) {
      this.families.push(await newFamily(this.site.db, { gems: GEMS }));
    }
  }

  async act(round: number): Promise<void> {
    const share = Math.min(1, (ARRIVING_ROUNDS + round) / (2 * ARRIVING_ROUNDS));
    const until = Math.ceil(this.game.videos * share);
    while (this.videos.length < until) await this.#queue(this.videos.length);
    for (const nth of this.#regrets.get(round) ?? []) await this.#cancel(nth);
  }

  async #queue(nth: number): Promise<void> {
    const family = this.#ownerOf(nth);
    const isDear = nth % 4 === 3;
    const { db, shop: { name: provider } } = this.site;
    if (provider === "runware") {
      const rhymeId = isDear ? DIDDLE : TWINKLE;
      this.videos.push((await queueVideo(db, family, { rhymeId })).video_id);
      return;
    }
    const prompt = `Fox number ${crypto.randomUUID()}`;
    this.videos.push(await queueAt(db, family, { provider, prompt, seconds: isDear ? 10 : 5 }));
  }

  /** A video that was not queued yet, or is too far, is not cancelled. */
  async #cancel(nth: number): Promise<void> {
    const video = this.videos[nth];
    if (video === undefined) return;
    const text = "select public.cancel_video($1, $2) as value";
    try {
      const answer = await value(this.site.db, text, [this.#ownerOf(nth).userId, video]);
      this.promised.set(video, cancelAnswer.parse(answer).gems_refunded);
    } catch (error) {
      if (sqlState(error) !== TOO_LATE) throw error;
    }
  }

  #ownerOf(nth: number): Family {
    const family = this.families[nth % this.families.length];
    if (family === undefined) throw new Error("Nobody is seated");
    return family;
  }
}
