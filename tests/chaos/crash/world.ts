/** Everybody but us: the provider that finishes or fails tasks, and the user who cancels. */
import { z } from "zod";
import type { Database } from "../../../shared/db/database.ts";
import { type Family, value } from "../../support/fixtures.ts";
import type { Counter } from "../shops/counter.ts";
import { type Base, CANCEL_REFUND_PERCENT } from "./base.ts";
import type { Role } from "./scenario.ts";

const attemptRow = z.object({ task: z.string(), video_id: z.string(), attempt: z.number() });
const cancelAnswer = z.object({ status: z.literal("cancelled"), gems_refunded: z.number() });
const PRICE = 10;

/** Acts as the roles say; acting again changes nothing, so it may be called at any moment. */
export class World {
  /** Gems that cancelling promised, by role. */
  readonly promised = new Map<string, number>();

  constructor(
    private readonly base: Base,
    private readonly db: Database,
    private readonly shop: Counter,
  ) {}

  /** Whose videos they are. */
  get family(): Family {
    return this.base.family;
  }

  /** What provider and user do now. */
  async act(): Promise<void> {
    for (const [name, role] of Object.entries(this.base.scenario.roles)) {
      if (role.cancels && !this.promised.has(name)) await this.#cancel(name);
      if (role.moves) await this.#loseLink(this.#videoOf(name));
    }
    await this.#endTasks();
  }

  async #cancel(name: string): Promise<void> {
    const videoId = this.#videoOf(name);
    const status = await value(this.db, "select status as value from public.videos where id = $1", [
      videoId,
    ]);
    // Given up before its owner came to it, because nobody knew whether it was bought.
    if (status === "failed") return;
    const answer = cancelAnswer.parse(
      await value(this.db, "select public.cancel_video($1, $2) as value", [
        this.base.family.userId,
        videoId,
      ]),
    );
    const due = status === "queued" ? PRICE : PRICE * CANCEL_REFUND_PERCENT / 100;
    if (answer.gems_refunded !== due) {
      throw new Error(`Cancelling a ${status} video gave ${answer.gems_refunded}, not ${due} gems`);
    }
    this.promised.set(name, due);
  }

  /** The kept link leads nowhere; asked again, the provider names the true one. */
  async #loseLink(videoId: string): Promise<void> {
    await this.db.query(
      `update public.video_jobs j set result_url = replace(j.result_url, '.mp4', '-moved.mp4')
       from public.videos v
       where v.id = j.video_id and v.id = $1 and v.status = 'rendering'
         and j.result_url not like '%-moved.mp4'`,
      [videoId],
    );
  }

  async #endTasks(): Promise<void> {
    const open = this.shop.tasks().filter((task) => task.status === "processing");
    const attempts = z.array(attemptRow).parse(
      await this.db.query(
        `select coalesce(provider_task_id, id::text) as task, video_id, attempt
         from public.video_jobs where coalesce(provider_task_id, id::text) = any ($1)`,
        [open.map(({ id }) => id)],
      ),
    );
    for (const { id } of open) {
      const attempt = attempts.find(({ task }) => task === id);
      if (attempt) this.#end(id, this.#roleOf(attempt.video_id), attempt.attempt);
      // Bought, and nobody wrote it down: the provider makes it all the same.
      else if (!this.shop.choosesTaskId) this.shop.finish(id);
    }
  }

  #end(task: string, role: Role, attempt: number): void {
    if (role.cancels) return;
    const code = role.failures?.[attempt - 1];
    if (code !== undefined) {
      this.shop.fail(task, code);
      return;
    }
    this.shop.finish(task);
    if (role.expires) this.shop.expire(task);
  }

  #videoOf(role: string): string {
    return z.string().parse(this.base.videos.get(role));
  }

  #roleOf(videoId: string): Role {
    for (const [name, id] of this.base.videos) {
      const role = this.base.scenario.roles[name];
      if (id === videoId && role) return role;
    }
    throw new Error(`No role has the video "${videoId}"`);
  }
}
