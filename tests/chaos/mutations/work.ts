import type { Mutation } from "./mutation.ts";

const QUEUE = "supabase/migrations/20261101000700_queue.sql";
const SUBMIT = "supabase/migrations/20261101000900_submit.sql";
const SETTLE = "supabase/migrations/20261101001000_settle.sql";
const STORE = "supabase/migrations/20261101001100_store.sql";
const RECONCILE = "supabase/migrations/20261101001200_reconcile.sql";

/** Guards against workers that overlap, die or sleep: leases, locks, one transaction. */
export const WORK: readonly Mutation[] = [
  {
    name: "an attempt is claimed though another worker holds it",
    file: SUBMIT,
    find:
      "        or (j.status = 'claimed' and j.lease_until <= clock_timestamp())\n      )\n    returning",
    replace: "        or j.status = 'claimed'\n      )\n    returning",
    why: "two workers hand over one attempt",
    tests: ["tests/db/submit_test.ts"],
  },
  {
    name: "a worker that slept past its lease has its say: accepted",
    file: SUBMIT,
    find: "      and j.processing_node = p_node\n",
    replace: "",
    why: "it overwrites what the one who took over does",
    tests: ["tests/db/submit_test.ts"],
  },
  {
    name: "a worker that slept past its lease has its say: refused",
    file: SUBMIT,
    find: "if v_job.status <> 'claimed' or v_job.processing_node <> p_node then",
    replace: "if v_job.status <> 'claimed' then",
    why: "it fails what the one who took over is buying",
    tests: ["tests/db/submit_test.ts"],
  },
  {
    name: "an attempt may be claimed without end",
    file: SUBMIT,
    find: "        j.claim_count >= v_settings.max_claims\n        or ",
    replace: "        false or ",
    why: "an attempt that kills every worker goes on killing",
    tests: ["tests/db/submit_test.ts"],
  },
  {
    name: "two workers count the free slots at once",
    file: SUBMIT,
    find: "  perform pg_advisory_xact_lock(hashtext('gemreel.slots.' || p_provider));\n",
    replace: "",
    why: "the provider is given more than it takes",
    tests: ["tests/db/overlap_test.ts"],
  },
  {
    name: "an attempt that may have been bought is given up for a refusal that may pass",
    file: SUBMIT,
    find: " or (v_job.maybe_bought and v_outcome.delay_seconds is not null) then",
    replace: " then",
    why: "the next attempt is a second purchase",
    tests: ["tests/db/submit_test.ts"],
  },
  {
    name: "where the id is not ours, an attempt of unknown outcome is handed over again",
    file: SUBMIT,
    find: "or (not p.chooses_task_id and j.status = 'claimed')",
    replace: "or false",
    why: "a second purchase",
    tests: ["tests/db/unknown_outcome_test.ts"],
  },
  {
    name: "a poll takes no lease",
    file: SETTLE,
    find: "        else s.poll_lease_seconds\n",
    replace: "        else 0\n",
    why: "each poller asks about the same attempts",
    tests: ["tests/db/settle_test.ts"],
  },
  {
    name: "pollers do not lock what they lease",
    file: SETTLE,
    find: "    limit p_limit\n    for update skip locked\n",
    replace: "    limit p_limit\n",
    why: "two pollers at once lease the same attempts",
    tests: ["tests/db/overlap_test.ts"],
  },
  {
    name: "pollers wait for each other",
    file: SETTLE,
    find: "    for update skip locked\n",
    replace: "    for update\n",
    why: "one slow poller holds up the others",
    tests: ["tests/db/overlap_test.ts"],
  },
  {
    name: "a webhook that rings while the poller asks is overwritten",
    file: SETTLE,
    find: "when j.next_poll_at <= clock_timestamp() then j.next_poll_at",
    replace: "when false then j.next_poll_at",
    why: "the video waits for its next poll though it is done",
    tests: ["tests/db/settle_test.ts"],
  },
  {
    name: "a ring takes no part in the stage's lock",
    file: QUEUE,
    find: "  perform pg_advisory_xact_lock_shared(hashtext('gemreel.stage.' || p_stage));\n",
    replace: "",
    why: "work that comes while the last worker stops is seen by nobody",
    tests: ["tests/db/overlap_test.ts", "tests/db/queue_test.ts"],
  },
  {
    name: "any number of workers drain a stage",
    file: QUEUE,
    find: "    >= (select s.drainers from app.stages s where s.name = p_stage) then",
    replace: "    >= 1000 then",
    why: "overlapping runs, each with its own call to the provider",
    tests: ["tests/db/queue_test.ts"],
  },
  {
    name: "a queue job is completed before its answer is written down",
    file: "shared/stages/submit.ts",
    find: `await queue.complete(sql, waiting, jobs.filter((job) => !byId.has(job.id)));`,
    replace: `await queue.complete(sql, waiting, jobs);`,
    why: "a worker that dies in between leaves an attempt that no queue knows",
    tests: ["tests/db/one_transaction_test.ts"],
  },
  {
    name: "a queue job is completed outside of its rows' transaction",
    file: "shared/stages/submit.ts",
    find: `await queue.complete(sql, waiting, jobs.filter((job) => done.has(job.id)));`,
    replace: `await queue.complete(database, waiting, jobs.filter((job) => done.has(job.id)));`,
    why: "a crash in between leaves an attempt that no queue knows",
    tests: ["tests/db/one_transaction_test.ts"],
  },
  {
    name: "jobs are taken from the queue outside of the claim's transaction",
    file: "shared/stages/submit.ts",
    find: `await queue.fetch(sql, waiting, slots);`,
    replace: `await queue.fetch(database, waiting, slots);`,
    why: "a claim that fails leaves its jobs in nobody's hands for a minute",
    tests: ["tests/db/one_transaction_test.ts"],
  },
  {
    name: "a stored file's queue job is completed outside of its video's transaction",
    file: "shared/stages/store.ts",
    find: `      const completed = await finishStoring(sql, video_job_id, storage_path, thumbnail);
      await queue.complete(sql, "store-video", [job]);`,
    replace: `      await queue.complete(database, "store-video", [job]);
      const completed = await finishStoring(sql, video_job_id, storage_path, thumbnail);`,
    why: "a crash in between leaves a rendering video that no queue knows",
    tests: ["tests/db/one_transaction_test.ts"],
  },
  {
    name: "an answer that was lost ends the attempt",
    file: "shared/stages/submit.ts",
    find:
      `          outcome: "unknown",\n          ...failureRecord(outcome.error),\n          delay_seconds: outcome`,
    replace:
      `          outcome: "failed",\n          ...failureRecord(outcome.error),\n          delay_seconds: outcome`,
    why: "the next attempt has an id of its own: a second purchase",
    tests: ["tests/db/submit_stage_test.ts", "tests/integration/faults_test.ts"],
  },
  {
    name: "each call to the provider has a task id of its own",
    file: "shared/providers/runware/requests.ts",
    find: "    taskUUID: task.id,\n",
    replace: "    taskUUID: crypto.randomUUID(),\n",
    why: "asking again buys again",
    tests: ["tests/unit/runware_requests_test.ts", "tests/integration/faults_test.ts"],
  },
  {
    name: "a task that the provider has already counts as refused",
    file: "shared/providers/runware/answers.ts",
    find: `const TAKEN_BEFORE = "conflicttaskuuid";`,
    replace: `const TAKEN_BEFORE = "";`,
    why: "bought, and bought again",
    tests: ["tests/unit/runware_submit_test.ts"],
  },
  {
    name: "an attempt that lost its queue job waits for ever",
    file: RECONCILE,
    find: "      and not app.live_queue_job(app.submit_queue(j.provider), j.id)\n    order by v.id",
    replace: "      and false\n    order by v.id",
    why: "paid, and nothing moves it on",
    tests: ["tests/db/reconcile_test.ts"],
  },
  {
    name: "a delivered file is stored for a video that is over",
    file: STORE,
    find: "  where j.id = any (p_job_ids) and j.status = 'completed' and v.status = 'rendering';",
    replace: "  where j.id = any (p_job_ids) and j.status = 'completed';",
    why: "a file for a video that was refunded",
    tests: ["tests/db/submit_test.ts"],
  },
];
