/** The database a scenario begins in, made once and copied for each run. */
import { withClient } from "../../../local/prepare.ts";
import { addAvatar, consent } from "../../support/avatars.ts";
import { withDatabase } from "../../support/database.ts";
import { openDatabase } from "../../../shared/db/database.ts";
import { type Family, newFamily, queueVideo } from "../../support/fixtures.ts";
import { databaseUrl } from "../../support/server.ts";
import { quiet } from "../../support/sql.ts";
import { queueAt } from "../shops/queue_at.ts";
import { record, type Reel } from "./rewind.ts";
import type { Scenario } from "./scenario.ts";

/** Gems everybody begins with; each video costs ten. */
export const GEMS = 100;
/** Percent of the price that comes back when a video is cancelled after it was handed over. */
export const CANCEL_REFUND_PERCENT = 50;

/** A scenario whose videos are queued and paid. */
export interface Base {
  readonly scenario: Scenario;
  readonly family: Family;
  /** Ids by role. */
  readonly videos: ReadonlyMap<string, string>;
  /** The database's name. */
  readonly database: string;
  /** All that is in it. */
  readonly reel: Reel;
  /** An address on the same server for statements such as CREATE DATABASE. */
  readonly serverUrl: string;
}

/** Gives `work` the scenario's database. */
export function withBase(scenario: Scenario, work: (base: Base) => Promise<void>): Promise<void> {
  return withDatabase(async ({ url }) => {
    const db = openDatabase(url, { log: quiet });
    const videos = new Map<string, string>();
    let family: Family;
    try {
      await db.query("update app.settings set cancel_refund_percent = $1", [CANCEL_REFUND_PERCENT]);
      family = await newFamily(db, { gems: GEMS });
      for (const [name, { pictured }] of Object.entries(scenario.roles)) {
        if (pictured) {
          await addAvatar(db, family);
          await consent(db, family);
        }
        const { provider, fallback } = scenario;
        const id = provider === "runware"
          ? (await queueVideo(db, family)).video_id
          : await queueAt(db, family, { provider, fallback, prompt: name });
        videos.set(name, id);
      }
      await scenario.prepare(db, videos);
    } finally {
      await db.close();
    }
    const database = new URL(url).pathname.slice(1);
    const serverUrl = databaseUrl(url, "postgres");
    const reel = await withClient(url, record);
    await work({ scenario, family, videos, database, reel, serverUrl });
  });
}
