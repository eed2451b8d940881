/** The stories that workers are killed in: videos with a fate each, and who does what when. */
import type { Sql } from "../../../shared/db/database.ts";
import { startSubmissions } from "../../../shared/db/submit_calls.ts";
import { newestJob } from "../../support/fixtures.ts";
import type { OtherShopName, ShopKnobs, ShopName } from "../shops/shop.ts";
import type { StageName } from "./protocol.ts";

/** What one video is to live through, and how it must end whatever is killed. */
export interface Role {
  readonly ends: "completed" | "failed" | "cancelled" | "forgotten";
  /** Tasks the provider may have sold for it. */
  readonly bought: readonly number[];
  /** Code of the failure of each attempt at the provider, first to last; the next ones succeed. */
  readonly failures?: readonly string[];
  /** The provider's link is dead before anybody fetches the file, and there is no other. */
  readonly expires?: true;
  /** The link we kept is dead, but the provider, asked again, names a good one. */
  readonly moves?: true;
  /** The user cancels it once it was handed over. */
  readonly cancels?: true;
  /** It begins with the child's picture. */
  readonly pictured?: true;
}

/**
 * One step: a stage is drained; the world acts (provider, user); the user leaves, with delete-account;
 * time passes. What the world does is said by the roles.
 */
export type Step = StageName | "world" | "leave" | { readonly pass: string };

/** A story. */
export interface Scenario {
  readonly name: string;
  readonly provider: ShopName;
  /** Takes over where the provider refuses for reasons of its own. */
  readonly fallback?: OtherShopName;
  readonly roles: Readonly<Record<string, Role>>;
  /** Faults of the provider's API, from the start. */
  readonly knobs: ShopKnobs;
  /** Stages whose crash points are tried, or what maintain does last; all of them by default. */
  readonly deadly?: readonly (StageName | "forget")[];
  /** Changes the database before the story begins; `videos` are ids by role. */
  prepare(sql: Sql, videos: ReadonlyMap<string, string>): Promise<void>;
  readonly script: readonly Step[];
  /** How much time passes in a round of recovery, where it is not the usual three minutes. */
  readonly round?: string;
}

const PAUSE = { pass: "2 minutes" } as const;

/** Every branch of polling, settling and storing: success, retry, cancelling, dead links. */
const lives: Scenario = {
  name: "lives",
  provider: "runware",
  roles: {
    plain: { ends: "completed", bought: [1] },
    retried: { ends: "completed", bought: [2], failures: ["providerError"] },
    cancelled: { ends: "cancelled", bought: [0, 1], cancels: true },
    expired: { ends: "failed", bought: [1], expires: true },
    moved: { ends: "completed", bought: [1], moves: true },
  },
  knobs: {},
  async prepare(sql) {
    // Two tries instead of six show both branches of giving up.
    await sql.query("update pgboss.queue set retry_limit = 1 where name = 'store-video'");
  },
  script: [
    ...["submit", PAUSE, "poll", "world", PAUSE, "poll", "world", "store"] as const,
    ...[PAUSE, "submit", "world", PAUSE, "poll", "store", "notify", PAUSE, "notify"] as const,
  ],
};

/** Every branch of submitting, and a round of maintenance that has something to do. */
const refusals: Scenario = {
  name: "refusals",
  provider: "runware",
  roles: {
    plain: { ends: "completed", bought: [1] },
    impossible: { ends: "failed", bought: [0] },
    forbidden: { ends: "failed", bought: [1], failures: ["contentPolicyViolation"] },
    forgotten: { ends: "completed", bought: [1] },
    abandoned: { ends: "completed", bought: [1] },
  },
  // Paused and held; then bought without our hearing of it; then "that task was submitted before".
  knobs: {
    rateLimit: { next: 1, on: "submit" },
    lostAck: { next: 1, on: "submit" },
  },
  // Storing and notifying go no other way than in "lives".
  deadly: ["submit", "maintain", "poll"],
  async prepare(sql, videos) {
    await sql.query("update public.video_jobs set model = 'no:such@model' where video_id = $1", [
      videos.get("impossible"),
    ]);
    const [forgotten, abandoned] = await Promise.all(
      ["forgotten", "abandoned"].map((role) => newestJob(sql, videos.get(role) ?? "")),
    );
    await sql.query("delete from pgboss.job where id = $1", [forgotten?.id]);
    await claimAndVanish(sql, abandoned?.id ?? "");
  },
  script: [
    ...["submit", "maintain", PAUSE, "submit", PAUSE, "submit", PAUSE] as const,
    ...["poll", "world", PAUSE, "poll", "store", "notify"] as const,
  ],
};

/** The user leaves with a video that is done and one that is being made again: nothing of them may stay. */
const farewell: Scenario = {
  name: "farewell",
  provider: "runware",
  roles: {
    done: { ends: "forgotten", bought: [1] },
    open: { ends: "forgotten", bought: [1], failures: ["providerError"] },
  },
  knobs: {},
  // The others have no more to do with it than with any video that is deleted.
  deadly: ["forget"],
  async prepare() {},
  script: [
    ...["submit", PAUSE, "world", "poll", "store", "notify", "leave", "maintain"] as const,
    ...[{ pass: "131 minutes" }, "maintain", "submit", "notify"] as const,
  ],
  // A late upload is looked for over two hours.
  round: "20 minutes",
};

/** Leaves an attempt as a worker does that died some minutes ago with the provider's call before it. */
async function claimAndVanish(sql: Sql, jobId: string): Promise<void> {
  await startSubmissions(sql, [jobId], "a worker that died");
  await sql.query(
    "update public.video_jobs set lease_until = now() - interval '2 minutes' where id = $1",
    [jobId],
  );
  await sql.query(
    "update pgboss.job set state = 'active', started_on = now() - interval '3 minutes' where id = $1",
    [jobId],
  );
}

/**
 * The same at a provider that makes up its own ids, where a death may leave an attempt of which nobody
 * knows whether it was bought. Storing and notifying are as they are for Runware's.
 */
function elsewhere(
  provider: OtherShopName,
  { refusal, policy = "refund" }: {
    readonly refusal: string;
    readonly policy?: "refund" | "retry";
  },
): Scenario {
  return {
    name: policy === "refund" ? provider : `${provider}, ${policy}`,
    provider,
    roles: {
      plain: { ends: "completed", bought: [1] },
      // However often it is tried, should the first attempt be in doubt.
      refused: { ends: "failed", bought: [1], failures: [refusal, refusal, refusal] },
      cancelled: { ends: "cancelled", bought: [0, 1], cancels: true },
    },
    knobs: {},
    deadly: ["submit", "poll"],
    async prepare(sql) {
      await sql.query("update app.settings set unknown_outcome = $1", [policy]);
    },
    script: ["submit", PAUSE, "world", "poll", "store", "notify"],
  };
}

/** One at each of those providers, and one with the other policy. */
const ELSEWHERE: Readonly<Record<OtherShopName, readonly Scenario[]>> = {
  runway: [elsewhere("runway", { refusal: "SAFETY.OUTPUT.VIDEO" })],
  kie: [
    elsewhere("kie", { refusal: "400" }),
    elsewhere("kie", { refusal: "400", policy: "retry" }),
  ],
};

/** A child's picture is signed for the provider, and kept as the thumbnail. */
const picture: Scenario = {
  name: "picture",
  provider: "runware",
  roles: { pictured: { ends: "completed", bought: [1], pictured: true } },
  knobs: {},
  deadly: ["submit", "store"],
  prepare: () => Promise.resolve(),
  script: ["submit", PAUSE, "world", "poll", "store", "notify"],
};

/** A provider that takes nothing, and another one that takes over. */
const movedOn: Scenario = {
  name: "moved on",
  provider: "runway",
  fallback: "kie",
  roles: {
    one: { ends: "completed", bought: [1] },
    other: { ends: "completed", bought: [1] },
  },
  knobs: { rateLimit: { next: 2, on: "submit" } },
  deadly: ["submit"],
  prepare: () => Promise.resolve(),
  script: ["submit", PAUSE, "submit", "world", PAUSE, "poll", "store", "notify"],
};

/** All of them. */
export const SCENARIOS: readonly Scenario[] = [
  lives,
  refusals,
  farewell,
  picture,
  ...Object.values(ELSEWHERE).flat(),
  movedOn,
];
