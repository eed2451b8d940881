/** The price list against the tables of models: what is sold, and that nobody sells below cost. */
import { assertEquals } from "@std/assert";
import { z } from "zod";
import type { Database } from "../../shared/db/database.ts";
import { type ModelSpec, type Price, priceOf, type SizeTier } from "../../shared/domain/models.ts";
import * as known from "../../shared/providers/known.ts";
import { modelsOf } from "../../shared/providers/registry.ts";
import { balanceOf, newFamily, stateOf, value } from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";

const PROVIDERS = Object.keys(known);
/** A gem is ten cents. */
const GEMS_PER_USD = 10;
const MARGIN = 1.25;

/** For sale nowhere, because nobody knows what they cost. */
const UNPRICED = [
  ...["kie bytedance/seedance-1.5-pro", "kie bytedance/v1-lite"],
  ...["kie bytedance/v1-pro-fast-image-to-video"],
  ...["kie hailuo/02-pro", "kie hailuo/2-3-image-to-video-pro"],
  ...["kie hailuo/2-3-image-to-video-standard", "kie kling-2.6", "kie kling/v2-1-master"],
  ...["kie kling/v2-1-pro", "kie kling/v2-1-standard", "kie kling/v2-5-turbo-pro"],
  ...["kie pixverse-v6", "runware google:3@2", "runware google:veo@3.1-lite"],
  ...["runware pixverse:1@6", "runware vidu:1@1", "runware vidu:2@0"],
];

const priceRows = z.array(z.object({
  provider: z.string(),
  model: z.string(),
  resolution: z.string(),
  sound: z.enum(["silent", "with_sound"]),
  gems: z.coerce.number(),
}));
type Sound = z.infer<typeof priceRows>[number]["sound"];

interface Offer {
  readonly provider: string;
  readonly model: string;
  readonly sound: Sound;
  readonly spec: ModelSpec;
  readonly tier: SizeTier;
  readonly price: Price | undefined;
}

const tables = new Map(
  await Promise.all(PROVIDERS.map(async (name) => [name, await modelsOf(name)] as const)),
);
const tableOf = (provider: string) => tables.get(provider) ?? [];

const nameOf = (offer: { provider: string; model: string; sound: Sound }, tier: string) =>
  `${offer.provider} ${offer.model} ${tier} ${offer.sound}`;

/** Every quality of every model that is not retired, with and without sound. */
function offers(): Offer[] {
  return PROVIDERS.flatMap((provider) =>
    tableOf(provider).filter(({ retired }) => retired !== true).flatMap((spec) =>
      spec.tiers.flatMap((tier) =>
        (["silent", "with_sound"] as const).map((sound) => ({
          ...{ provider, model: spec.id, sound, spec, tier },
          price: priceOf(spec, tier, sound),
        }))
      )
    )
  );
}

/** USD of a second where it is dearest, or undefined where no length has a figure. */
function dearestSecond({ price }: Offer): number | undefined {
  if (price === undefined) return undefined;
  if ("perSecond" in price) return price.perSecond;
  const seconds = Object.entries(price.bySeconds).map(([length, usd]) => usd / Number(length));
  return seconds.length === 0 ? undefined : Math.max(...seconds);
}

async function priceList(db: Database) {
  return priceRows.parse(
    await db.query(
      `select provider, model, resolution, sound, gems
       from app.prices, lateral (
         values ('silent', gems_per_second), ('with_sound', gems_per_second_with_sound)
       ) as s (sound, gems)
       where gems is not null
       order by 1, 2, 3, 4`,
    ),
  );
}

/** To a millionth: what doubles add behind that is no price. */
const tidy = (gems: number) => Math.round(gems * 1e6) / 1e6;

Deno.test("every quality whose cost is known is for sale, with sound where that cost is known, and nothing else is", async () => {
  await withSql(async (db) => {
    const sold = (await priceList(db)).map((row) => nameOf(row, row.resolution));
    const priced = offers().filter((offer) => dearestSecond(offer) !== undefined);
    const names = new Set(priced.map((offer) => nameOf(offer, offer.tier.name)));
    assertEquals(sold.sort(), [...names].sort());
  });
});

Deno.test("a second costs what it costs us where it is dearest, and a quarter more, rounded up to a tenth of a gem", async () => {
  await withSql(async (db) => {
    for (const { gems, ...row } of await priceList(db)) {
      const name = nameOf(row, row.resolution);
      const costs = offers()
        .filter((offer) => nameOf(offer, offer.tier.name) === name)
        .map((offer) => dearestSecond(offer) ?? 0);
      const usd = Math.max(...costs);
      assertEquals(gems, Math.ceil(tidy(usd * GEMS_PER_USD * MARGIN * 10)) / 10, name);
    }
  });
});

Deno.test("no single video is sold below its cost, whatever its length, with sound or without", async () => {
  await withSql(async (db) => {
    const below: string[] = [];
    for (const offer of offers()) {
      const { provider, model, tier: { name: resolution }, sound } = offer;
      for (const [duration, usd] of lengthsOf(offer)) {
        const options = { resolution, duration, ...(sound === "silent" ? {} : { audio: true }) };
        const gems = await priceOfVideo(db, provider, model, options);
        if (gems < tidy(usd * GEMS_PER_USD)) {
          below.push(`${nameOf(offer, resolution)} ${duration} s`);
        }
      }
    }
    assertEquals(below, []);
  });
});

Deno.test("sound is charged what it costs, quoted too, and is not sold where nobody knows that", async () => {
  await withSql(async (db) => {
    const kling = { resolution: "1080p", duration: 10 };
    const of = (options: object) => priceOfVideo(db, "kie", "kling-3.0/video", options);
    assertEquals(await of(kling), 12);
    assertEquals(await of({ ...kling, audio: false }), 12);
    assertEquals(await of({ ...kling, audio: true }), 17);

    const { userId } = await newFamily(db, { gems: 100 });
    const request = { kind: "prompt", prompt: "A fox", provider: "kie", model: "kling-3.0/video" };
    const asked = JSON.stringify({ ...request, options: { ...kling, audio: true } });
    const quote = `select (public.quote_video($1, $2::text::jsonb) ->> 'gem_cost')::int as value`;
    assertEquals(await value(db, quote, [userId, asked]), 17);

    const seedance = { resolution: "720p", duration: 5, audio: true };
    const silent = priceOfVideo(db, "kie", "bytedance/seedance-2", seedance);
    assertEquals(await stateOf(silent), "GM010");
  });
});

Deno.test("part of a gem is charged as a whole one, as it was quoted", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    // 0.4 gems a second: 3.2 in all.
    const asked = JSON.stringify({
      ...{ kind: "prompt", prompt: "A fox", provider: "runware", model: "pixverse:1@5-fast" },
      options: { duration: 8, resolution: "720p" },
    });
    const cost = "-> 'gem_cost' as value";
    const quote = `select public.quote_video($1, $2) ${cost}`;
    assertEquals(await value(db, quote, [family.userId, asked]), 4);
    const order = `select public.queue_video($1, $2, 'hash', 60) ${cost}`;
    assertEquals(await value(db, order, [family.userId, asked]), 4);
    assertEquals(await balanceOf(db, family), 6);
  });
});

Deno.test("the models that nobody can buy are these, for want of a figure", async () => {
  await withSql(async (db) => {
    const sold = new Set(
      (await priceList(db)).map(({ provider, model }) => `${provider} ${model}`),
    );
    const all = new Set(offers().map(({ provider, model }) => `${provider} ${model}`));
    assertEquals([...all].filter((name) => !sold.has(name)).sort(), UNPRICED);
  });
});

Deno.test("a quality goes by one name for each kind of start", () => {
  for (const provider of PROVIDERS) {
    for (const { id, modes, tiers } of tableOf(provider)) {
      for (const mode of modes) {
        const names = tiers.filter((tier) => (tier.modes ?? modes).includes(mode))
          .map(({ name }) => name);
        assertEquals(names, [...new Set(names)], `${id} ${mode}`);
      }
    }
  }
});

async function priceOfVideo(
  db: Database,
  provider: string,
  model: string,
  options: object,
): Promise<number> {
  const statement = "select app.price_of($1, $2, $3::text::jsonb) as value";
  return Number(await value(db, statement, [provider, model, JSON.stringify(options)]));
}

/** Lengths with what they cost us in USD, as far as that is known. */
function lengthsOf({ tier, spec, price }: Offer): [number, number][] {
  if (price === undefined) return [];
  if ("bySeconds" in price) {
    return Object.entries(price.bySeconds).map(([seconds, usd]) => [Number(seconds), usd]);
  }
  const durations = tier.durations ?? spec.durations;
  const ends = "list" in durations ? durations.list : [durations.min, durations.max];
  return ends.map((seconds) => [seconds, seconds * price.perSecond]);
}
