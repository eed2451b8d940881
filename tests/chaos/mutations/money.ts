import { KNOWN_STORIES, type Mutation } from "./mutation.ts";

const LEDGER = "supabase/migrations/20261101000500_gem_ledger.sql";
const USERS = "supabase/migrations/20261101000300_users.sql";
const VIDEOS = "supabase/migrations/20261101000600_videos.sql";
const QUEUE_VIDEOS = "supabase/migrations/20261101000800_queue_videos.sql";
const SETTLE = "supabase/migrations/20261101001000_settle.sql";

const TESTS = [
  "tests/db/overlap_test.ts",
  "tests/db/ledger_test.ts",
  "tests/db/queue_video_test.ts",
  "tests/db/settle_test.ts",
  "tests/db/submit_test.ts",
];

/** Guards that keep charges and refunds exact. */
export const MONEY: readonly Mutation[] = [
  {
    name: "a charge may take more gems than there are",
    file: LEDGER,
    find: "      and u.gem_balance + m.amount >= 0\n",
    replace: "",
    why: "who is short of gems gets an error of ours instead of the price",
    tests: TESTS,
  },
  {
    name: "the balance is read, then written",
    file: LEDGER,
    find: `  with moved as (
    update public.users u
    set gem_balance = u.gem_balance + m.amount,
      fair_tag = coalesce(m.fair_tag, u.fair_tag), fair_provider = coalesce(m.fair_provider, u.fair_provider)
    from unnest(p_user_ids, p_amounts, p_video_ids, p_reasons, p_fair_tags, p_fair_providers)
      as m (user_id, amount, video_id, reason, fair_tag, fair_provider)
    where u.id = any (array[m.user_id])
      and u.gem_balance + m.amount >= 0
`,
    replace: `  with before as materialized (
    select u.id, u.gem_balance from public.users u where u.id = any (p_user_ids)
  ), moved as (
    update public.users u
    set gem_balance = b.gem_balance + m.amount,
      fair_tag = coalesce(m.fair_tag, u.fair_tag), fair_provider = coalesce(m.fair_provider, u.fair_provider)
    from unnest(p_user_ids, p_amounts, p_video_ids, p_reasons, p_fair_tags, p_fair_providers)
      as m (user_id, amount, video_id, reason, fair_tag, fair_provider)
    join before b on b.id = m.user_id
    where u.id = any (array[m.user_id])
      and b.gem_balance + m.amount >= 0
`,
    why: "of two movements at once one is lost",
    tests: TESTS,
  },
  {
    name: "the table takes a balance below zero",
    file: USERS,
    find: "gem_balance integer not null default 0 check (gem_balance >= 0)",
    replace: "gem_balance integer not null default 0",
    why: "a statement that forgets to look makes a debt",
    tests: ["tests/db/ledger_test.ts"],
  },
  {
    name: "the ledger takes a second charge or refund for a video",
    file: LEDGER,
    find: "create unique index gem_entries_one_charge_one_refund",
    replace: "create index gem_entries_one_charge_one_refund",
    why: "any mistake elsewhere pays twice",
    tests: TESTS,
  },
  {
    name: "ledger entries can be changed",
    file: LEDGER,
    find: "before update or delete on public.gem_entries",
    replace: "before delete on public.gem_entries",
    why: "the books can be rewritten",
    tests: TESTS,
  },
  {
    name: "two grants with one key do not take turns",
    file: LEDGER,
    find: "from public.users u where u.id = p_user_id for no key update;",
    replace: "from public.users u where u.id = p_user_id;",
    why: "a shop that repeats its call gets an error instead of the first answer",
    tests: TESTS,
  },
  {
    name: "one user's calls do not take turns",
    file: QUEUE_VIDEOS,
    find:
      "      join public.users u on u.id = any (array[o.user_id])\n      for no key update of u\n",
    replace: "      join public.users u on u.id = any (array[o.user_id])\n",
    why: "limit and idempotency key are read before another call has written them",
    tests: ["tests/db/queue_video_test.ts", "tests/db/ledger_test.ts"],
    underFire: [KNOWN_STORIES],
  },
  {
    name: "one user's orders in calls of many do not take turns",
    file: QUEUE_VIDEOS,
    find: "      for no key update of u skip locked\n",
    replace: "",
    why: "limit and idempotency key are read before another call has written them",
    tests: ["tests/db/queue_videos_test.ts"],
  },
  {
    name: "a call of many waits for a user while it holds others",
    file: QUEUE_VIDEOS,
    find: "for no key update of u skip locked",
    replace: "for no key update of u",
    why: "one slow transaction holds up everybody's orders, and two calls can wait in a circle",
    tests: ["tests/db/queue_videos_test.ts"],
  },
  {
    name: "a call of many waits for a child that is being forgotten",
    file: QUEUE_VIDEOS,
    find: "      for key share of c skip locked\n",
    replace: "",
    why: "who forgets a child then waits for a user of the call, and the call for them",
    tests: ["tests/db/queue_videos_test.ts"],
  },
  {
    name: "a call of which nobody knows what became is made again in parts",
    file: "shared/doors/queue_orders.ts",
    find: "mayBeOneItemsFault: wasUndone,",
    replace: "mayBeOneItemsFault: () => true,",
    why: "a database that is out of breath gets every call over again, in its parts",
    tests: ["tests/unit/queue_orders_test.ts"],
  },
  {
    name: "an order without a key is placed without one",
    file: "shared/doors/queue_orders.ts",
    find: "idempotency_key: asked.idempotency_key ?? crypto.randomUUID()",
    replace: "idempotency_key: asked.idempotency_key",
    why: "a runtime that sends a call again by itself has the order charged twice",
    tests: ["tests/unit/queue_orders_test.ts"],
  },
  {
    name: "two orders of one user in a call are both looked at before either is charged",
    file: QUEUE_VIDEOS,
    find: "    v_free := array_remove(v_free, v_order.user_id);\n",
    replace: "",
    why: "a key that was tapped twice undoes the call of everybody in it",
    tests: ["tests/db/queue_videos_test.ts"],
  },
  {
    name: "who is short of gems is found out when all are charged",
    file: QUEUE_VIDEOS,
    find: "  if p_user.gem_balance < v_video.gem_cost then\n",
    replace: "  if false then\n",
    why: "one poor customer undoes the call of everybody in it",
    tests: ["tests/db/queue_videos_test.ts"],
  },
  {
    name: "an error of nobody's is taken for one order's refusal",
    file: QUEUE_VIDEOS,
    find: "      if sqlstate not like 'GM%' then\n",
    replace: "      if false then\n",
    why: "people are told that they did something wrong, in words that show our insides",
    tests: ["tests/db/queue_videos_test.ts"],
  },
  {
    name: "a charge that did not happen is not noticed",
    file: QUEUE_VIDEOS,
    find: "<> cardinality(p_drafts) then",
    replace: "<> cardinality(p_drafts) and false then",
    why: "a mistake in whoever drafts makes videos for nothing",
    tests: ["tests/db/queue_videos_test.ts"],
  },
  {
    name: "an idempotency key is not looked up",
    file: QUEUE_VIDEOS,
    find: "  if p_same.id is not null then\n",
    replace: "  if false then\n",
    why: "a repeated tap is an error instead of the first answer",
    tests: ["tests/db/queue_video_test.ts"],
  },
  {
    name: "a key that was used with another body is taken for a repetition",
    file: QUEUE_VIDEOS,
    find: "if p_same.input_hash <> p_input_hash then",
    replace: "if false then",
    why: "another video is silently not made",
    tests: ["tests/db/queue_video_test.ts"],
  },
  {
    name: "the table takes two videos with one idempotency key",
    file: VIDEOS,
    find: "create unique index videos_idempotency_key",
    replace: "create index videos_idempotency_key",
    why: "any mistake in the door charges a repeated tap",
    tests: ["tests/db/queue_video_test.ts"],
  },
  {
    name: "the table takes a video whatever was asked for",
    file: VIDEOS,
    find: "  if p_video.rev = 1 then\n",
    replace: "  if false then\n",
    why: "any mistake in the door sells what cannot be made",
    tests: ["tests/db/video_checks_test.ts"],
  },
  {
    name: "a failed video is not refunded",
    file: SETTLE,
    find: "  if v_video.gem_cost > 0 then\n",
    replace: "  if false then\n",
    why: "the user pays for nothing",
    tests: ["tests/db/settle_test.ts"],
    underFire: [KNOWN_STORIES],
  },
  {
    name: "a video that is over fails once more",
    file: SETTLE,
    find: "  where v.id = p_video_id and v.status in ('queued', 'processing', 'rendering')\n" +
      "  returning v.* into v_video;",
    replace: "  where v.id = p_video_id\n  returning v.* into v_video;",
    why: "refunded twice, if nothing else stood in the way",
    tests: ["tests/db/settle_test.ts", "tests/db/submit_test.ts", "tests/db/reconcile_test.ts"],
    underFire: [KNOWN_STORIES],
  },
];
