/** What the local REST API answers and logs, held to PostgREST. */
import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { join } from "node:path";
import { type TestStack, withStack } from "../support/stack.ts";
import { signUp } from "../support/users.ts";

const withRest = (work: (stack: TestStack) => Promise<void>) => () =>
  withStack({ functions: false, cron: false }, work);

/** Each type that a column may have whose text in Postgres is not what JSON holds. */
const KINDS = `
  create table public.kinds (
    id bigint primary key,
    amount numeric,
    seconds numeric(6, 2),
    zoned timestamptz,
    plain timestamp,
    day date,
    clock time
  );
  insert into public.kinds values
    (1, 0.500000, 8, '2026-11-30 05:33:26.732075+00', '2026-11-30 05:33:26.5', '2026-11-30', '05:33'),
    (2, 20.0, 10.5, '2026-11-30 05:33:00+02', '2026-11-30 05:33:00', '0044-03-15 BC', '23:59:59.1'),
    (3, 0, -0.10, '0044-03-15 12:00:00+00 BC', '0044-03-15 12:00:00 BC', 'infinity', null),
    (4, 1234567.00, 100, 'infinity', '-infinity', '-infinity', null),
    (5, 'NaN', null, null, null, null, null),
    (6, 'Infinity', null, null, null, null, null),
    (7, 0.33333333333333333333, 0.33, null, null, null, null);
  grant select, insert, update on public.kinds to authenticated, service_role;`;

Deno.test(
  "numbers are numbers and times are ISO 8601, as PostgREST writes them",
  withRest(async (stack) => {
    await stack.database.rows(KINDS);
    const { client } = await signUp(stack);
    const { data } = await client.from("kinds").select().order("id");
    // PostgREST has Postgres write the JSON.
    const [expected] = await stack.database.rows(
      `select json_agg(k order by id) as rows from public.kinds k,
         lateral (select set_config('timezone', 'UTC', true)) utc`,
    );
    assertEquals(data, expected?.["rows"]);
    assertEquals([data?.[0]?.seconds, data?.[0]?.zoned], [8, "2026-11-30T05:33:26.732075+00:00"]);
  }),
);

Deno.test(
  "an integer that no double holds keeps its digits",
  withRest(async (stack) => {
    await stack.database.rows(KINDS);
    await stack.database.rows("insert into public.kinds (id) values (9007199254740993)");
    const { client } = await signUp(stack);
    const { data } = await client.from("kinds").select("id").gt("id", 7);
    assertEquals(data, [{ id: "9007199254740993" }]);
  }),
);

Deno.test(
  "a time that was read finds its row again and may be written back",
  withRest(async (stack) => {
    await stack.database.rows(KINDS);
    const { client } = await signUp(stack);
    for (const id of [1, 3, 4]) {
      const { data } = await client.from("kinds").select("zoned, plain, day").eq("id", id).single();
      const found = await client.from("kinds").select("id").match(data ?? {});
      assertEquals(found.data, [{ id }]);
      const written = await client.from("kinds").insert({ id: id + 100, ...data }).select()
        .single();
      assertNotEquals(written.data, null, written.error?.message);
      const same = await stack.database.rows(
        `select a.zoned = b.zoned and a.plain = b.plain and a.day = b.day as same
         from public.kinds a, public.kinds b where a.id = $1 and b.id = $1 + 100`,
        [id],
      );
      assertEquals(same, [{ same: true }]);
    }
  }),
);

/** What `work` added to the stack's log, without the times. */
async function logged(stack: TestStack, work: () => Promise<unknown>): Promise<string[]> {
  const log = join(stack.dataDir, "stack.log");
  const before = await Deno.readTextFile(log);
  await work();
  const added = (await Deno.readTextFile(log)).slice(before.length);
  return added.trimEnd().split("\n").map((line) => line.replace(/^\S+T\S+Z /, ""));
}

Deno.test(
  "the log has one line for what Postgres refused, and everything about what went wrong",
  withRest(async (stack) => {
    await stack.database.rows(`
      create function public.refuse(p_code text) returns void language plpgsql as $$
      begin
        raise exception E'No gems\nleft' using errcode = p_code, detail = 'have 3';
      end $$;
      grant execute on function public.refuse(text) to authenticated;`);
    const { client } = await signUp(stack);
    for (const code of ["GM001", "P0001", "23505"]) {
      assertEquals(await logged(stack, async () => await client.rpc("refuse", { p_code: code })), [
        `Refused: ${code} No gems left (have 3), PL/pgSQL function refuse(text) line 3 at RAISE`,
      ]);
    }
    const denied = await logged(stack, async () => await client.from("users").delete().eq("id", 1));
    assertEquals(denied.length, 1, denied.join("\n"));
    const failed = await logged(
      stack,
      async () => await client.rpc("refuse", { p_code: "XX001" }),
    );
    assertMatch(failed.join("\n"), /XX001/);
    assertMatch(failed.join("\n"), /\n\s+at /);
  }),
);
