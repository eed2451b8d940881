import { KNOWN_STORIES, type Mutation, STORIES } from "./mutation.ts";

const VIDEOS = "supabase/migrations/20261101000600_videos.sql";
const DOORS = "supabase/migrations/20261101000810_doors.sql";
const SUBMITTED = "supabase/migrations/20261101000950_submitted.sql";
const SETTLE = "supabase/migrations/20261101001000_settle.sql";
const STORE = "supabase/migrations/20261101001100_store.sql";
const RECONCILE = "supabase/migrations/20261101001200_reconcile.sql";

/** Guards of the state machine: each change names the state it expects. */
export const STATES: readonly Mutation[] = [
  {
    name: "a late success settles an attempt that is over",
    file: SETTLE,
    find: "j.id = any (array[r.video_job_id]) and j.status in ('claimed', 'processing')\n" +
      "      returning j.id, j.video_id, j.attempt\n",
    replace: "j.id = any (array[r.video_job_id])\n      returning j.id, j.video_id, j.attempt\n",
    why: "a failed and refunded attempt is delivered after all",
    tests: ["tests/db/settle_test.ts"],
    underFire: [STORIES],
  },
  {
    name: "a late failure ends an attempt that is over",
    file: SETTLE,
    find: "where j.id = p_job_id and j.status in ('pending', 'claimed', 'processing')",
    replace: "where j.id = p_job_id",
    why: "a video that is delivered is failed and refunded",
    tests: ["tests/db/settle_test.ts"],
  },
  {
    name: "an answer about an attempt that is over moves its next poll",
    file: SETTLE,
    find:
      "        and j.status in ('claimed', 'processing')\n        and j.next_poll_at is not null\n",
    replace: "",
    why: "what is over is asked about again",
    tests: ["tests/db/settle_test.ts"],
  },
  {
    name: "a file that is stored completes a video that is over",
    file: STORE,
    find: "    and v.status = 'rendering'\n  returning v.* into v_video;",
    replace: "  returning v.* into v_video;",
    why: "completed twice, or completed and refunded",
    tests: ["tests/db/settle_test.ts", "tests/db/submit_test.ts", "tests/db/reconcile_test.ts"],
    underFire: [KNOWN_STORIES],
  },
  {
    name: "a video can be cancelled in any state",
    file: DOORS,
    find: "  if p_video.status not in ('queued', 'processing') then",
    replace: "  if p_video.status = 'cancelled' then",
    why: "a video that is being stored is thrown away",
    tests: ["tests/db/submit_test.ts"],
    underFire: [STORIES],
  },
  {
    name: "two cancels of a video do not take turns",
    file: DOORS,
    find: "  where v.id = p_video_id and v.user_id = p_user_id\n  for update;",
    replace: "  where v.id = p_video_id and v.user_id = p_user_id;",
    why: "the second tap is an error, or a second refund",
    tests: ["tests/db/overlap_test.ts"],
  },
  {
    name: "a final state can change",
    file: VIDEOS,
    find: "if old.status in ('completed', 'failed', 'cancelled') and new.status <> old.status then",
    replace: "if false then",
    why: "any mistake elsewhere undoes an end",
    tests: ["tests/db/settle_test.ts"],
  },
  {
    name: "two attempts of a video may be alive",
    file: VIDEOS,
    find: "create unique index video_jobs_one_live",
    replace: "create index video_jobs_one_live",
    why: "any mistake elsewhere buys the render twice",
    tests: ["tests/db/settle_test.ts"],
  },
  {
    name: "the answer to a submit call revives an attempt that is over",
    file: SUBMITTED,
    find: "      and j.status = 'claimed'\n      and j.processing_node = p_node\n",
    replace: "      and j.processing_node = p_node\n",
    why: "an attempt that was cancelled meanwhile runs on",
    tests: ["tests/db/submit_test.ts"],
    underFire: [KNOWN_STORIES],
  },
  {
    name: "a render without end has no deadline",
    file: SETTLE,
    find: "when p_state = 'processing' then coalesce(p_deadline_at <= clock_timestamp(), false)",
    replace: "when p_state = 'processing' then false",
    why: "the video is under way forever",
    tests: ["tests/db/reconcile_test.ts"],
    underFire: [STORIES],
  },
  {
    name: "a provider's silence has no deadline",
    file: SETTLE,
    find:
      "when p_state in ('unanswered', 'missing') then coalesce(p_deadline_at <= clock_timestamp() - interval '1 hour', false)",
    replace: "when p_state in ('unanswered', 'missing') then false",
    why: "the video is under way forever",
    tests: ["tests/db/reconcile_test.ts"],
  },
  {
    name: "a deadline ends an attempt that nobody has asked about",
    file: RECONCILE,
    find: "j.deadline_at <= clock_timestamp() - interval '6 hours'",
    replace: "j.deadline_at <= clock_timestamp()",
    why: "after an outage of ours finished renders are given up and bought again",
    tests: ["tests/db/reconcile_test.ts"],
  },
  {
    name: "the queued deadline ends an attempt that is being handed over",
    file: RECONCILE,
    find: "(p_job.status = 'claimed' and p_job.lease_until <= clock_timestamp())",
    replace: "p_job.status = 'claimed'",
    why: "refunded and bought at the same moment",
    tests: ["tests/db/reconcile_test.ts"],
  },
  {
    name: "the queued deadline ends what was handed over a moment ago and never asked about",
    file: RECONCILE,
    find: "        p.chooses_task_id and j.maybe_bought\n",
    replace: "        false\n",
    why: "what was bought under an id of ours is given up, though the provider would tell",
    tests: ["tests/db/unknown_outcome_test.ts"],
  },
  {
    name: "a provider that knew nothing of an attempt before it was handed over ends it",
    file: SETTLE,
    find: "coalesce(j.submitted_at > r.leased_at, false)",
    replace: "false",
    why: "the same video is bought twice, without anything having failed",
    tests: ["tests/db/unknown_outcome_test.ts"],
  },
  {
    name: "what a provider took is given up when the database is away for a moment",
    file: "shared/db/insist.ts",
    find: "if (milliseconds === undefined || !isPassing(error) || unless(error)) throw error;",
    replace: "throw error;",
    why: "a batch of videos is bought, and nobody knows the tasks",
    tests: ["tests/db/submit_recording_test.ts"],
  },
  {
    name: "what a provider would not take comes back at the front",
    file: SUBMITTED,
    find: "v_job.provider, v_lead, v_again);",
    replace: "v_job.provider, 0, v_again);",
    why: "one video that it never takes keeps its breaker open for everybody",
    tests: ["tests/db/breaker_test.ts"],
  },
  {
    name: "one order that cannot be read stops its batch",
    file: "shared/db/submit_calls.ts",
    find: "requestOptions.nullable().catch(null)",
    replace: "requestOptions.nullable()",
    why: "the same batch is taken and put back for hours, until all of it is refunded",
    tests: ["tests/db/submit_spoilers_test.ts"],
  },
  {
    name: "a file that was tried in vain is tried again before those that were not",
    file: "shared/stages/store.ts",
    find: `await putBehind(sql, "store-video", job.id);`,
    replace: "void putBehind;",
    why: "a host that hangs keeps everybody's files from being copied",
    tests: ["tests/db/store_stage_test.ts"],
  },
  {
    name: "many webhooks in one call change attempts before their videos are locked",
    file: DOORS,
    find:
      "  perform app.lock_videos(array(select e.video_job_id from jsonb_to_recordset(p_events) as e (video_job_id uuid)), true);\n",
    replace: "",
    why: "it and whoever settles the same videos wait for each other",
    tests: ["tests/db/provider_events_test.ts"],
  },
];
