import { assert, assertEquals } from "@std/assert";
import { newestJob, newFamily, queueVideo } from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";

/** Version and variant of a UUID (RFC 9562). */
const kindOf = (id: string) => ({
  version: id[14],
  variant: Number.parseInt(id[19] ?? "", 16) >> 2,
});

Deno.test("videos have ids of version 7 that begin with the time, attempts those of version 4", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 100 });
    const ids: string[] = [];
    const before = Date.now();
    for (let n = 0; n < 5; n++) ids.push((await queueVideo(db, family)).video_id);
    const after = Date.now();
    for (const id of ids) {
      assertEquals(kindOf(id), { version: "7", variant: 0b10 });
      const at = Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
      assert(at >= before - 1 && at <= after + 1, `${id} is of ${at}, not ${before} to ${after}`);
      assertEquals(kindOf((await newestJob(db, id)).id), { version: "4", variant: 0b10 });
    }
    assertEquals(new Set(ids.map((id) => id.slice(19))).size, ids.length, "the rest is random");
  });
});
