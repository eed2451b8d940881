/** Queueing at a provider that makes up its own ids, where the prompt tells whose a task is. */
import type { Sql } from "../../../shared/db/database.ts";
import { type Family, value } from "../../support/fixtures.ts";
import type { OtherShopName } from "./shop.ts";

/** A model of each that makes five or ten seconds from words. */
const MODELS: Readonly<Record<OtherShopName, readonly [string, string]>> = {
  runway: ["gen4.5", "720p"],
  kie: ["kling-2.6", "1080p"],
};
/** Five seconds are as much as the seed's first rhyme. */
const GEMS_PER_SECOND = 2;

/** Queues a video, for two gems a second, and answers its id. */
export async function queueAt(
  sql: Sql,
  { userId }: Family,
  { provider, fallback, prompt, seconds = 5 }: {
    readonly provider: OtherShopName;
    /** Who takes over where that one takes no work. */
    readonly fallback?: OtherShopName | undefined;
    readonly prompt: string;
    readonly seconds?: 5 | 10;
  },
): Promise<string> {
  const [model, resolution] = MODELS[provider];
  await sql.query(
    `insert into app.prices (provider, model, resolution, gems_per_second) values ($1, $2, $3, $4)
     on conflict (provider, model, resolution) do update set gems_per_second = excluded.gems_per_second
       where prices.gems_per_second <> excluded.gems_per_second`,
    [provider, model, resolution, GEMS_PER_SECOND],
  );
  const fallbacks = fallback === undefined
    ? []
    : [{ provider: fallback, model: MODELS[fallback][0] }];
  const options = { duration: seconds, resolution };
  const wish = JSON.stringify({ kind: "prompt", provider, model, prompt, options, fallbacks });
  const queued = "select public.queue_video($1, $2, 'hash', 60) ->> 'video_id' as value";
  return String(await value(sql, queued, [userId, wish]));
}
