import { KNOWN_STORIES, type Mutation } from "./mutation.ts";

const LEDGER = "supabase/migrations/20261101000500_gem_ledger.sql";
const USERS = "supabase/migrations/20261101000300_users.sql";
const VIDEOS = "supabase/migrations/20261101000600_videos.sql";
const DOORS = "supabase/migrations/20261101000800_doors.sql";
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
    find: "      and u.gem_balance + p_amount >= 0\n",
    replace: "",
    why: "who is short of gems gets an error of ours instead of the price",
    tests: TESTS,
  },
  {
    name: "the balance is read, then written",
    file: LEDGER,
    find: `  with moved as (
    update public.users u
    set gem_balance = u.gem_balance + p_amount, fair_tag = coalesce(p_fair_tag, u.fair_tag)
    where u.id = p_user_id
      and u.gem_balance + p_amount >= 0
    returning u.gem_balance
  )
`,
    replace:
      `  select u.gem_balance + p_amount into v_balance from public.users u where u.id = p_user_id;
  with moved as (
    update public.users u
    set gem_balance = v_balance, fair_tag = coalesce(p_fair_tag, u.fair_tag)
    where u.id = p_user_id
      and v_balance >= 0
    returning u.gem_balance
  )
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
    find: "  perform 1 from public.users u where u.id = p_user_id for no key update;\n",
    replace: "",
    why: "a shop that repeats its call gets an error instead of the first answer",
    tests: TESTS,
  },
  {
    name: "one user's calls do not take turns",
    file: DOORS,
    find: "where u.id = p_user_id for no key update;",
    replace: "where u.id = p_user_id;",
    why: "limit and idempotency key are read before another call has written them",
    tests: ["tests/db/queue_video_test.ts", "tests/db/ledger_test.ts"],
    underFire: [KNOWN_STORIES],
  },
  {
    name: "an idempotency key is not looked up",
    file: DOORS,
    find: "  if p_idempotency_key is not null then\n",
    replace: "  if false then\n",
    why: "a repeated tap is an error instead of the first answer",
    tests: ["tests/db/queue_video_test.ts"],
  },
  {
    name: "a key that was used with another body is taken for a repetition",
    file: DOORS,
    find: "if v_video.input_hash <> p_input_hash then",
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
