/** The stand-in for Realtime, held to what the real client expects of the hosted one. */
import { assertEquals, assertMatch } from "@std/assert";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { until } from "../support/until.ts";
import { answered, hangUp, type Listening, subscribed } from "../support/live.ts";
import { type TestStack, withStack } from "../support/stack.ts";
import { anonymousClient, signUp, type TestUser } from "../support/users.ts";

const NOTES = `
  create table public.notes (
    id integer primary key,
    owner uuid not null,
    body text,
    stars integer not null default 0
  );
  alter table public.notes enable row level security;
  create policy own on public.notes to authenticated using (owner = (select auth.uid()));
  revoke all on public.notes from anon;
  grant all on public.notes to authenticated;
  alter publication supabase_realtime add table public.notes;`;

const withNotes = (work: (stack: TestStack, ann: TestUser) => Promise<void>) => () =>
  withStack({ functions: false, cron: false }, async (stack) => {
    await stack.database.rows(NOTES);
    const ann = await signUp(stack);
    await ann.client.realtime.setAuth();
    await work(stack, ann);
  });

interface Note {
  readonly eventType: string;
  readonly new: Record<string, unknown>;
  readonly old: Record<string, unknown>;
}

const NOTE_TABLE = { schema: "public", table: "notes" } as const;

/** A channel that collects the changes of one interest. */
async function collect(
  client: SupabaseClient,
  name: string,
  interest: Readonly<Record<string, unknown>> = {},
): Promise<Note[]> {
  const notes: Note[] = [];
  const asked = { event: "*", ...NOTE_TABLE, ...interest } as const;
  await subscribed(
    client.channel(name).on("postgres_changes", asked, ({ eventType, new: now, old }) => {
      notes.push({ eventType, new: now, old });
    }),
  );
  return notes;
}

const told = (notes: readonly unknown[], count: number) =>
  until(`${count} are told`, () => Promise.resolve(notes.length >= count || undefined));

Deno.test(
  "changes come as the log has them: rows typed, the old one by its key, or whole with REPLICA IDENTITY FULL",
  withNotes(async ({ database }, ann) => {
    const notes = await collect(ann.client, "notes");
    // Row-level security is asked about the row as it is when its change is told, so one after the other.
    const steps = [
      `insert into public.notes values (1, '${ann.id}', 'a', 1)`,
      "update public.notes set stars = 2",
      "alter table public.notes replica identity full; update public.notes set stars = 3",
      "delete from public.notes",
    ];
    for (const [at, step] of steps.entries()) {
      await database.rows(step);
      await told(notes, at + 1);
    }
    const row = (stars: number) => ({ id: 1, owner: ann.id, body: "a", stars });
    assertEquals(notes, [
      { eventType: "INSERT", new: row(1), old: {} },
      { eventType: "UPDATE", new: row(2), old: { id: 1 } },
      { eventType: "UPDATE", new: row(3), old: row(2) },
      // About a row that is gone it can't be asked, so no more than the key is told.
      { eventType: "DELETE", new: {}, old: { id: 1 } },
    ]);
    await hangUp(ann.client);
  }),
);

Deno.test(
  "nothing is told of what was rolled back, of rows the policy hides, or of tables that are not published",
  withNotes(async ({ database }, ann) => {
    const notes = await collect(ann.client, "notes");
    await database.rows(
      "do $$ begin insert into public.notes values (1, gen_random_uuid()); raise 'no'; exception when others then null; end $$",
    );
    await database.rows("insert into public.notes values (2, gen_random_uuid(), 'hidden')");
    await database.rows("insert into public.notes values (3, $1, 'mine')", [ann.id]);
    await told(notes, 1);
    assertEquals(notes.map((note) => note.new["body"]), ["mine"]);
    const { reports } = await subscribed(
      ann.client.channel("entries").on(
        "postgres_changes",
        { event: "*", schema: "public", table: "gem_entries" },
        () => {},
      ),
    );
    await told(reports, 1);
    assertMatch(reports[0] ?? "", /^Unable to subscribe to changes with given parameters/);
    await hangUp(ann.client);
  }),
);

Deno.test(
  "each operator, negation, event and choice of columns lets through what it names",
  withNotes(async ({ database }, ann) => {
    const interests: Record<string, Record<string, unknown>> = {
      "eq": { filter: "stars=eq.2" },
      "neq and another": { filter: "stars=neq.2,body=eq.b" },
      "lt": { filter: "stars=lt.2" },
      "gte": { filter: "stars=gte.10" },
      "in": { filter: "stars=in.(1,2)" },
      "like": { filter: "body=like.b%" },
      "imatch": { filter: "body=imatch.^B" },
      "is null": { filter: "body=is.null" },
      "not in": { filter: "stars=not.in.(1,2)" },
      "isdistinct": { filter: "body=isdistinct.a" },
      "UPDATE": { event: "UPDATE" },
      "whole schema": { table: undefined },
    };
    const seen = new Map<string, Note[]>();
    for (const [name, interest] of Object.entries(interests)) {
      seen.set(name, await collect(ann.client, name, interest));
    }
    const chosen = await collect(ann.client, "select", { select: ["stars"] });
    await database.rows(
      "insert into public.notes values (1, $1, 'a', 1), (2, $1, 'b', 2), (3, $1, null, 10)",
      [ann.id],
    );
    await database.rows("update public.notes set stars = 11 where id = 2");
    await told(chosen, 4);
    await told(seen.get("UPDATE") ?? [], 1);
    const ids = Object.fromEntries(
      [...seen].map(([name, notes]) => [name, notes.map((note) => note.new["id"]).join()]),
    );
    assertEquals(ids, {
      "eq": "2",
      "neq and another": "2",
      "lt": "1",
      "gte": "3,2",
      "in": "1,2",
      "like": "2,2",
      "imatch": "2,2",
      "is null": "3",
      "not in": "3,2",
      "isdistinct": "2,3,2",
      "UPDATE": "2",
      "whole schema": "1,2,3,2",
    });
    assertEquals(chosen[0]?.new, { id: 1, stars: 1 });
    await hangUp(ann.client);
  }),
);

Deno.test(
  "a filter on what is not there, or of the wrong type, is reported and told nothing",
  withNotes(async (_stack, ann) => {
    for (const filter of ["size=eq.1", "stars=eq.many", "stars=equals.1"]) {
      const { reports } = await subscribed(
        ann.client.channel(filter)
          .on("postgres_changes", { event: "*", ...NOTE_TABLE, filter }, () => {}),
      );
      await told(reports, 1);
      assertMatch(reports[0] ?? "", /invalid column|invalid input syntax|Error parsing/);
    }
    await hangUp(ann.client);
  }),
);

Deno.test(
  "a visitor who may not read a table hears that something happened, and not what",
  withNotes(async (stack, ann) => {
    const visitor = anonymousClient(stack);
    const notes = await collect(visitor, "notes");
    await stack.database.rows("insert into public.notes values (1, $1, 'secret')", [ann.id]);
    await told(notes, 1);
    assertEquals(notes, [{ eventType: "INSERT", new: {}, old: {} }]);
    await hangUp(visitor, ann.client);
  }),
);

Deno.test(
  "clients of both protocol versions hear each other on a public channel, and a sender who asks is acknowledged",
  withNotes(async (stack, ann) => {
    const old = createClient(stack.supabaseUrl, stack.publishableKey, {
      auth: { persistSession: false, autoRefreshToken: false },
      realtime: { vsn: "1.0.0" },
    });
    const heard: unknown[] = [];
    const room = { config: { broadcast: { ack: true, self: false } } };
    const join = (client: SupabaseClient) =>
      subscribed(
        client.channel("room", room)
          .on("broadcast", { event: "wave" }, ({ payload }) => heard.push(payload)),
      );
    const [first, second] = [await join(ann.client), await join(old)];
    for (const { channel } of [first, second]) {
      const wave = { type: "broadcast", event: "wave", payload: { from: "ä" } } as const;
      assertEquals(await channel.send(wave), "ok");
    }
    await told(heard, 2);
    assertEquals(heard, [{ from: "ä" }, { from: "ä" }]);
    await hangUp(old, ann.client);
  }),
);

Deno.test(
  "nobody can send to a private topic without a policy that lets them",
  withNotes(async (_stack, ann) => {
    const heard: unknown[] = [];
    const { channel } = await subscribed(
      ann.client.channel(`user:${ann.id}`, {
        config: { private: true, broadcast: { self: true, ack: true } },
      }).on("broadcast", { event: "*" }, (message) => heard.push(message)),
    );
    const forged = { type: "broadcast", event: "video_updated", payload: {} } as const;
    assertEquals(await channel.send(forged, { timeout: 300 }), "timed out");
    assertEquals(heard, []);
    await hangUp(ann.client);
  }),
);

Deno.test(
  "a change that was under way while a client subscribed is told when it commits, or found by the select that follows",
  withNotes(async ({ database }, ann) => {
    // The first listener ever also waits for a trigger to be made; the second only for the writer.
    await collect(ann.client, "before");
    await ann.client.removeAllChannels();
    const joining = Promise.withResolvers<Listening>();
    const writer = await database.pool.connect();
    try {
      await writer.query("begin");
      await writer.query("insert into public.notes values (1, $1, 'slow')", [ann.id]);
      const channel = ann.client.channel("notes")
        .on("postgres_changes", { event: "*", ...NOTE_TABLE }, () => {});
      answered(channel).then(joining.resolve, joining.reject);
      await until("the server listens, and waits for who writes", async () => {
        const { rowCount } = await database.pool.query(
          "select from realtime._listeners l where l.entity = 'public.notes'::regclass",
        );
        return rowCount || undefined;
      });
      assertEquals(channel.state, "joining");
      await writer.query("commit");
    } finally {
      writer.release(true);
    }
    assertEquals((await joining.promise).statuses, ["SUBSCRIBED"]);
    assertEquals((await ann.client.from("notes").select("body")).data, [{ body: "slow" }]);
    await hangUp(ann.client);
  }),
);

Deno.test(
  "when nobody listens any more, writing leaves no trace for Realtime",
  withNotes(async ({ database }, ann) => {
    const notes = await collect(ann.client, "notes");
    await database.rows("insert into public.notes values (1, $1)", [ann.id]);
    await told(notes, 1);
    await hangUp(ann.client);
    await until("the server is silent", async () => {
      const listeners = await database.rows("select from realtime._listeners");
      return listeners.length === 0 || undefined;
    });
    await database.rows("insert into public.notes values (2, $1)", [ann.id]);
    assertEquals(await database.rows("select * from realtime._changes"), []);
  }),
);

Deno.test(
  "when the database cuts the server off, the clients are cut too, come back and hear again",
  withNotes(async ({ database }, ann) => {
    const heard: unknown[] = [];
    const { statuses } = await subscribed(
      ann.client.channel("notes").on(
        "postgres_changes",
        { event: "INSERT", ...NOTE_TABLE },
        (change) => heard.push(change.new["id"]),
      ),
    );
    await database.rows(
      `select pg_terminate_backend(a.pid) from pg_stat_activity a
       where a.datname = current_database() and a.application_name = 'realtime'`,
    );
    await until(
      "the client is back",
      () =>
        Promise.resolve(
          statuses.filter((status) => status === "SUBSCRIBED").length > 1 || undefined,
        ),
    );
    await database.rows("insert into public.notes values (1, $1)", [ann.id]);
    await told(heard, 1);
    assertEquals(heard, [1]);
    await hangUp(ann.client);
  }),
);
