/** A stack whose first rhyme is made by KIE, and the steps of its videos. */
import { assertEquals } from "@std/assert";
import { z } from "zod";
import type { KieKnobChanges, KieSandbox } from "../../local/sandbox/kie.ts";
import { type AppOptions, type Customer, newCustomer } from "./app.ts";
import { byHand, type HandStack } from "./by_hand.ts";
import { balanceOf, entriesOf, jobsOf, newestJob, TWINKLE, value, videoOf } from "./fixtures.ts";

/** A stack by hand, the sandbox of KIE, and a customer with gems for one video. */
export interface KieScene {
  readonly app: HandStack;
  readonly kie: KieSandbox;
  readonly customer: Customer;
}

/** What may differ from scene to scene. */
export interface KieSceneOptions extends Pick<AppOptions, "webhooks" | "functionsEnv"> {
  readonly knobs?: KieKnobChanges;
}

/** Gives `work` a scene in which tasks end when told to, and can be seen at once. */
export function withKieScene(
  { knobs, ...options }: KieSceneOptions,
  work: (scene: KieScene) => Promise<void>,
) {
  const kie = { knobs: { manual: true, queueMs: 0, hiddenMs: 0, ...knobs } };
  return byHand({ kie, ...options }, async (app) => {
    const { sandbox } = app.providers.kie;
    if (sandbox === null) throw new Error("The KIE sandbox is missing");
    await madeByKie(app);
    await work({ app, kie: sandbox, customer: await newCustomer(app, { gems: 10 }) });
  });
}

/** Has the seed's first rhyme made by KIE. */
export async function madeByKie(app: Pick<HandStack, "db">): Promise<void> {
  await app.db.query(
    `update public.rhymes set provider = 'kie', model = 'kling-2.6', duration_seconds = 5,
       width = 1920, height = 1080 where id = $1`,
    [TWINKLE],
  );
}

/** Tasks that KIE has taken. */
export function bought({ kie }: KieScene): number {
  return kie.control.state().counts.accepted;
}

/** Gems of the scene's customer. */
export function gemsLeft({ app, customer }: KieScene): Promise<number> {
  return balanceOf(app.db, { userId: customer.id, childId: customer.childId });
}

/** KIE's id of the video's newest attempt. */
export async function kieTaskOf({ app }: KieScene, videoId: string): Promise<string> {
  const { id } = await newestJob(app.db, videoId);
  const statement = "select provider_task_id as value from public.video_jobs where id = $1";
  return z.string().parse(await value(app.db, statement, [id]));
}

/** The video has failed after one attempt that may have been bought, with its gems given back. */
export async function assertEndedUnknown(scene: KieScene, videoId: string): Promise<void> {
  const { app } = scene;
  const attempts = (await jobsOf(app.db, videoId)).map((job) => [job.status, job.error_code]);
  assertEquals(attempts, [["failed", "unknown_outcome"]]);
  assertEquals((await videoOf(app.db, videoId)).status, "failed");
  const kinds = (await entriesOf(app.db, videoId)).map((entry) => entry["kind"]);
  assertEquals([kinds, await gemsLeft(scene)], [["charge", "refund"], 10]);
}
