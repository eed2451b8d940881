/** Ids that Postgres takes and RFC 9562 does not know: whoever makes users by hand may choose such. */
import { assertEquals } from "@std/assert";
import { startNotifying } from "../../shared/db/notify_calls.ts";
import { finishStoring, startStoring } from "../../shared/db/store_calls.ts";
import { accept, deliver, queueVideo, value } from "../support/fixtures.ts";
import { pause, visit } from "../support/forgetting.ts";
import { withSql } from "../support/sql.ts";

const ODD = "11111111-1111-1111-1111-111111111111";

Deno.test("a user whose id is of no known version is served like any other: stored, told, forgotten", async () => {
  await withSql(async (db) => {
    await db.query("insert into auth.users (id, email) values ($1, 'odd@example.com')", [ODD]);
    const childId = String(
      await value(
        db,
        "insert into public.children (user_id, name) values ($1, 'Mia') returning id as value",
        [ODD],
      ),
    );
    await db.query("select public.grant_gems($1, 10, 'purchase', 'Test', 'key')", [ODD]);
    const { video_id } = await queueVideo(db, { userId: ODD, childId });
    const job = await accept(db, video_id);
    await deliver(db, job);

    const files = await startStoring(db, [job]);
    assertEquals(files.map(({ user_id }) => user_id), [ODD]);
    await finishStoring(db, job, `${ODD}/videos/${video_id}.mp4`);
    const [delivery] = await db.query("select id from public.notification_deliveries");
    const told = await startNotifying(db, [String(delivery?.["id"])]);
    assertEquals(told.map(({ user_id }) => user_id), [ODD]);

    await db.query("select public.forget_user($1)", [ODD]);
    await visit(db);
    await pause(db);
    assertEquals((await visit(db)).erasures_finished, 1);
    assertEquals(await db.query("select id from auth.users"), []);
  });
});
