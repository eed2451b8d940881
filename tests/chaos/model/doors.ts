/** The people's side of a story: what they call, and what each call answered, as a transcript. */
import type { Database, Sql } from "../../../shared/db/database.ts";
import { sqlState } from "../../../shared/db/database.ts";
import type { Family } from "../../support/fixtures.ts";
import type { Deed, Wish } from "./acts.ts";
import type { Heard } from "./ear.ts";
import type { Names } from "./names.ts";
import type { Provider } from "./provider.ts";
import { RHYMES } from "./stage.ts";
import { type Model, RULES } from "./state.ts";
import { bodyOf } from "./webhooks.ts";

/** What people do. */
export type Visit = Deed & {
  do: "grant" | "queue" | "queueTogether" | "cancel" | "webhook" | "delete";
};

/** Who there is. */
export interface People {
  readonly families: ReadonlyMap<string, Family>;
  readonly names: Names;
  readonly model: Model;
  readonly provider: Provider;
}

/** A call of a door, in words, and as it is done. */
export interface Call {
  readonly said: string;
  readonly heard: { name: string; values: unknown[] };
  /** Answers the column "value". */
  run(sql: Sql): Promise<Record<string, unknown>[]>;
}

/** The id of nothing. */
const NOBODY = "00000000-0000-4000-8000-000000000000";

/** What a visit calls; null when there is nothing it could be about. */
export function callOf(visit: Visit, people: People): Call | null {
  const { families, names, model, provider } = people;
  const family = (who: string): Family => {
    const found = families.get(who);
    if (found === undefined) throw new Error(`There is no "${who}"`);
    return found;
  };
  const orderOf = (wish: Wish) => {
    const { userId, childId } = family(wish.who);
    const [rhyme, price] = [RHYMES[wish.rhyme], RULES.prices[wish.rhyme] ?? 0];
    const key = wish.key === null ? null : `key ${wish.key}`;
    return {
      ...{ userId, price, key },
      hash: `${rhyme} ${wish.body}`,
      request: { child_id: childId, rhyme_id: rhyme },
      said: `for ${price} gems${key ? ` (${key}, body ${wish.body})` : ""}`,
    };
  };
  switch (visit.do) {
    case "grant": {
      const values = [
        family(visit.who).userId,
        visit.gems,
        "purchase",
        "Story",
        `grant ${visit.key}`,
      ];
      return {
        said: `${visit.who} buys ${visit.gems} gems (receipt ${visit.key})`,
        heard: { name: "grant_gems", values },
        run: (sql) => sql.query("select public.grant_gems($1, $2, $3, $4, $5) as value", values),
      };
    }
    case "queue": {
      const { userId, price, hash, key, request, said } = orderOf(visit);
      return {
        said: `${visit.who} queues a video ${said}`,
        heard: { name: "queue_video", values: [userId, price, hash, key] },
        run: (sql) =>
          sql.query("select public.queue_video($1, $2, $3, 60, $4) as value", [
            userId,
            JSON.stringify(request),
            hash,
            key,
          ]),
      };
    }
    case "queueTogether": {
      const orders = visit.wishes.map(orderOf);
      const rows = orders.map(({ userId, request, hash, key }) => ({
        ...{ user_id: userId, request, input_hash: hash, expected_seconds: 60 },
        idempotency_key: key,
      }));
      const each = visit.wishes.map(({ who }, at) => `${who} a video ${orders[at]?.said}`);
      return {
        said: `In one call are queued: ${each.join(", ")}`,
        heard: { name: "queue_videos", values: orders },
        run: (sql) => sql.query("select public.queue_videos($1) as value", [JSON.stringify(rows)]),
      };
    }
    case "cancel": {
      const id = names.videos.toReversed()[visit.video % names.videos.length];
      const owner = Object.values(model.accounts).find((account) =>
        account.videos.some((video) => video.id === id)
      );
      if (id === undefined || owner === undefined) return null;
      const values = [owner.id, id];
      return {
        said: `${names.of(id)} is cancelled`,
        heard: { name: "cancel_video", values },
        run: (sql) => sql.query("select public.cancel_video($1, $2) as value", values),
      };
    }
    case "webhook": {
      const ids = [...names.attempts.toReversed(), NOBODY];
      const id = ids[visit.attempt % ids.length] ?? NOBODY;
      const body = bodyOf(id, visit.says, provider);
      const hash = `${id} ${body.says} ${body.states.map(({ state }) => state)}`;
      const values = ["runware", id, hash, body];
      return {
        said: `A webhook (${visit.says}) comes for ${names.of(id)}`,
        heard: { name: "record_provider_events", values },
        run: (sql) =>
          sql.query(
            `select public.record_provider_events($1, jsonb_build_array(jsonb_build_object(
               'video_job_id', $2::uuid, 'hash', $3::text, 'payload', $4::jsonb
             ))) as value`,
            values,
          ),
      };
    }
    case "delete": {
      const { userId } = family(visit.who);
      return {
        said: `${visit.who} deletes the account`,
        heard: { name: "delete_user", values: [userId] },
        run: (sql) => sql.query("delete from auth.users where id = $1", [userId]),
      };
    }
  }
}

/** Makes the call in a transaction. A refusal by our own functions is an answer, too. */
export async function makeCall(
  database: Database,
  call: Call,
): Promise<{ said: string; heard: Heard }> {
  const heard = (rows: Record<string, unknown>[]): Heard => ({ call: "sql", ...call.heard, rows });
  try {
    const rows = await database.transaction((sql) => call.run(sql));
    return { said: `${call.said}.`, heard: heard(rows) };
  } catch (error) {
    const state = sqlState(error) ?? "";
    if (!state.startsWith("GM")) throw error;
    return {
      said: `${call.said}, and is refused: ${state}.`,
      heard: heard([{ value: { error: state } }]),
    };
  }
}
