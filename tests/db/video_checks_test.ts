import { assertEquals } from "@std/assert";
import { newFamily, queueVideo, stateOf } from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";

/** A value for a column of a new video, as SQL, that must not be there. */
const REFUSED = {
  kind: "'film'",
  prompt: "''",
  negative_prompt: "repeat('x', 10001)",
  scene: "'0'",
  options: "'[]'",
  fallbacks: "'{}'",
  folder: "'../videos'",
  idempotency_key: "''",
  gem_cost: "-1",
  max_retries: "-1",
  status: "'paused'",
  stage: "'rendering'",
  progress: "1",
  completed_at: "now()",
  error_code: "'x'",
} as const;

Deno.test("the table itself takes no video that was asked for wrongly, or in a state that does not exist", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    const { video_id: videoId } = await queueVideo(db, family);
    /** A copy of a good one, but for one column. */
    const copy = (column: string, value: string) =>
      stateOf(db.query(
        `with made as (
           select (jsonb_populate_record(v, to_jsonb(n))).*
           from public.videos v, (select gen_random_uuid() as id, ${value} as ${column}) n
           where v.id = $1
         )
         insert into public.videos (id, user_id, kind, title, prompt, negative_prompt, scene, status, stage, progress,
           provider, model, fallbacks, options, folder, gem_cost, max_retries, estimated_completion_at,
           idempotency_key, input_hash, completed_at, error_code)
         select id, user_id, kind, title, prompt, negative_prompt, scene, status, stage, progress, provider, model,
           fallbacks, options, folder, gem_cost, max_retries, estimated_completion_at, idempotency_key, input_hash,
           completed_at, error_code
         from made`,
        [videoId],
      ));
    assertEquals(await copy("title", "'Copy'"), "no error");
    for (const [column, value] of Object.entries(REFUSED)) {
      const cast = column === "options" || column === "fallbacks" ? `${value}::jsonb` : value;
      assertEquals(await copy(column, cast), "23514", column);
    }
  });
});
