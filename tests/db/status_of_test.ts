import { assertEquals } from "@std/assert";
import type { Database } from "../../shared/db/database.ts";
import { value } from "../support/fixtures.ts";
import { handOver, queuePrompt, withProviders } from "../support/makers.ts";

const told = (db: Database, id: string, field: string) =>
  value(
    db,
    "select app.status_of(v) -> $2::text as value from public.videos v where v.id = $1",
    [id, field],
  );

Deno.test("a video that was stopped has no seconds left", async () => {
  await withProviders(async (db, family) => {
    const cancelled = await queuePrompt(db, family);
    assertEquals(await told(db, cancelled, "eta_seconds"), 60);
    await db.query("select public.cancel_video($1, $2)", [family.userId, cancelled]);
    assertEquals(await told(db, cancelled, "eta_seconds"), null);

    const failed = await queuePrompt(db, family, { fallbacks: [] });
    await handOver(db, failed, "failed", { kind: "content", delay_seconds: null });
    assertEquals(await told(db, failed, "status"), "failed");
    assertEquals(await told(db, failed, "eta_seconds"), null);
  });
});

Deno.test("what is told while a video of one's own words is handed over speaks of no rhyme", async () => {
  await withProviders(async (db, family) => {
    const id = await queuePrompt(db, family);
    await handOver(db, id, "accepted");
    assertEquals(await told(db, id, "message"), "Reading your story…");
  });
});
