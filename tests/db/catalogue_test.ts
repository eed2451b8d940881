import { assertEquals } from "@std/assert";
import { z } from "zod";
import { planRhymeVideo } from "../../shared/domain/rhyme_video.ts";
import { createProviders, modelsOf } from "../../shared/providers/registry.ts";
import { newFamily, queueVideo, stateOf, TWINKLE } from "../support/fixtures.ts";
import { withSql } from "../support/sql.ts";

const rows = z.array(z.object({
  slug: z.string(),
  title: z.string(),
  prompt_template: z.string(),
  style: z.string().nullable(),
  provider: z.string(),
  model: z.string(),
  duration_seconds: z.coerce.number(),
  width: z.number(),
  height: z.number(),
}));

Deno.test("every rhyme of the seed can be made as it stands, with and without an avatar", async () => {
  await withSql(async (db) => {
    for (const rhyme of rows.parse(await db.query("select * from public.rhymes"))) {
      // Nothing fills another placeholder.
      const rest = rhyme.prompt_template.replace(/\{(child|title|style)\}/g, "");
      assertEquals(rest.match(/[{}]/g), null, rhyme.slug);
      for (const avatarUrl of [undefined, "https://avatars.example.com/a.png"]) {
        const plan = planRhymeVideo(
          {
            title: rhyme.title,
            promptTemplate: rhyme.prompt_template,
            ...(rhyme.style === null ? {} : { style: rhyme.style }),
            model: rhyme.model,
            durationSeconds: rhyme.duration_seconds,
            width: rhyme.width,
            height: rhyme.height,
          },
          {},
          { childName: "Maximiliane-Alexandra", avatarUrl },
          await modelsOf(rhyme.provider),
        );
        assertEquals("problems" in plan ? plan.problems : [], [], rhyme.slug);
      }
    }
  });
});

Deno.test("there are free and premium rhymes", async () => {
  await withSql(async (db) => {
    const kinds = await db.query(
      "select is_premium, count(*) > 0 as some from public.rhymes group by 1 order by 1",
    );
    assertEquals(kinds, [{ is_premium: false, some: true }, { is_premium: true, some: true }]);
  });
});

Deno.test("a withdrawn rhyme is neither shown nor made", async () => {
  await withSql(async (db) => {
    const family = await newFamily(db, { gems: 10 });
    await db.query("update public.rhymes set is_active = false where id = $1", [TWINKLE]);
    for (const role of ["anon", "authenticated"]) {
      const shown = await db.transaction(async (sql) => {
        await sql.query("select set_config('role', $1, true)", [role]);
        return await sql.query("select id from public.rhymes");
      });
      assertEquals(shown.length, 5, role);
      assertEquals(shown.filter(({ id }) => id === TWINKLE), [], role);
    }
    assertEquals(await stateOf(queueVideo(db, family)), "GM005");
  });
});

Deno.test("the database and the adapters agree on whose the task ids are, and on who can cancel", async () => {
  await withSql(async (db) => {
    const rows = await db.query(
      "select name, chooses_task_id, can_cancel from app.providers order by name",
    );
    const providers = await createProviders((name) =>
      name.endsWith("_API_KEY") ? "key" : undefined
    );
    assertEquals(
      rows,
      [...providers.keys()].sort().map((name) => ({
        name,
        chooses_task_id: providers.get(name)?.choosesTaskId,
        can_cancel: providers.get(name)?.cancel !== undefined,
      })),
    );
  });
});

Deno.test("a provider can be deleted until a video names it", async () => {
  await withSql(async (db) => {
    const add = "insert into app.providers (name, max_in_flight) values ('another', 1)";
    const remove = "delete from app.providers where name = 'another'";
    await db.query(add);
    assertEquals(await stateOf(db.query(remove)), "no error");
    await db.query(add);
    await db.query("update public.rhymes set provider = 'another' where id = $1", [TWINKLE]);
    await queueVideo(db, await newFamily(db, { gems: 10 }));
    await db.query("update public.rhymes set provider = 'runware' where id = $1", [TWINKLE]);
    assertEquals(await stateOf(db.query(remove)), "23503");
  });
});

Deno.test("no setting and no row of the catalogue takes a figure that the workers cannot count with", async () => {
  await withSql(async (db) => {
    const refused = [
      "update app.settings set poll_steps = '{5,NULL}'",
      "update app.settings set poll_steps = '[0:1]={5,10}'",
      "update public.rhymes set duration_seconds = 'NaN'",
      "update app.prices set gems_per_second = 'NaN'",
      "update app.prices set gems_per_second_with_sound = 'NaN'",
    ];
    for (const statement of refused) {
      assertEquals(await stateOf(db.query(statement)), "23514", statement);
    }
  });
});
