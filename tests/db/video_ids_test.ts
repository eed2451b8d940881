import { assert, assertEquals } from "@std/assert";
import { newestJob, newFamily, queueVideo } from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";

/** Version and variant of a UUID (RFC 9562). */
const kindOf = (id: string) => ({
  version: id[14],
  variant: Number.parseInt(id[19] ?? "", 16) >> 2,
});

Deno.test("F32 ids of videos, of version 7, and of attempts, of version 4, begin with the time", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    const before = Date.now();
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      const videoId = (await queueVideo(db, family)).video_id;
      const jobId = (await newestJob(db, videoId)).id;
      assertEquals(kindOf(videoId), { version: "7", variant: 0b10 });
      assertEquals(kindOf(jobId), { version: "4", variant: 0b10 });
      ids.push(videoId, jobId);
    }
    const after = Date.now();
    for (const id of ids) {
      const at = Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
      assert(at >= before - 1 && at <= after + 1, `${id} is of ${at}, not ${before} to ${after}`);
    }
    assertEquals(new Set(ids.map((id) => id.slice(19))).size, ids.length, "the rest is random");
  });
});
