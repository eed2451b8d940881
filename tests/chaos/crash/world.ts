/** Everybody but us: the provider that finishes or fails tasks, and the user who cancels. */
import { z } from "zod";
import type { RunwareSandbox } from "../../../local/sandbox/runware.ts";
import type { Database } from "../../../shared/db/database.ts";
import { value } from "../../support/fixtures.ts";
import { type Base, CANCEL_REFUND_PERCENT } from "./base.ts";
import type { Role } from "./scenario.ts";

const attemptRow = z.object({ id: z.string(), video_id: z.string(), attempt: z.number() });
const cancelAnswer = z.object({ status: z.literal("cancelled"), gems_refunded: z.number() });
const PRICE = 10;

/** Acts as the roles say; acting again changes nothing, so it may be called at any moment. */
export class World {
  /** Gems that cancelling promised, by role. */
  readonly promised = new Map<string, number>();

  constructor(
    private readonly base: Base,
    private readonly db: Database,
    private readonly sandbox: RunwareSandbox,
  ) {}

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
    const open = this.sandbox.control.state().tasks.filter((task) => task.status === "processing");
    const attempts = z.array(attemptRow).parse(
      await this.db.query(
        "select id, video_id, attempt from public.video_jobs where id = any ($1)",
        [
          open.map((task) => task.taskUUID),
        ],
      ),
    );
    for (const { id, video_id, attempt } of attempts) {
      this.#end(id, this.#roleOf(video_id), attempt);
    }
  }

  #end(taskUUID: string, role: Role, attempt: number): void {
    if (role.cancels) return;
    const code = role.failures?.[attempt - 1];
    if (code !== undefined) {
      this.sandbox.control.fail(taskUUID, code, "The sandbox was asked to fail this one");
      return;
    }
    this.sandbox.control.finish(taskUUID);
    if (role.expires) this.sandbox.control.expire(taskUUID);
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
