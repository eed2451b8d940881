import { assertEquals } from "@std/assert";
import { type Answer, BY_HAND, headersOf, newCustomer, queue, withApp } from "../support/app.ts";
import { balanceOf, brokenInvariants, TWINKLE, value } from "../support/fixtures.ts";

function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const name = `${status} ${body["code"] ?? ""}`.trim();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

Deno.test("F01 200 parallel calls on gems for 100: exactly 100 videos, 100 refusals, balance 0", async () => {
  await withApp({ ...BY_HAND, settings: { queue_limit: 1000 } }, async (app) => {
    const customer = await newCustomer(app, { gems: 1000 });
    const answers = await Promise.all(Array.from({ length: 200 }, () => queue(app, customer)));
    assertEquals(tally(answers), { "201": 100, "402 insufficient_gems": 100 });
    const family = { userId: customer.id, childId: customer.childId };
    assertEquals(await balanceOf(app.db, family), 0);
    assertEquals(await value(app.db, "select count(*)::int as value from public.videos"), 100);
    assertEquals(
      await value(
        app.db,
        "select sum(amount)::int as value from public.gem_entries where user_id = $1",
        [customer.id],
      ),
      0,
    );
    assertEquals(
      await value(app.db, "select min(balance_after) as value from public.gem_entries"),
      0,
    );
    assertEquals(await brokenInvariants(app.db), []);
  });
});

Deno.test("F02 a crowd at once: each has their own video, and is charged and refused for themselves", async () => {
  await withApp(BY_HAND, async (app) => {
    const crowd = [];
    for (let n = 0; n < 24; n++) {
      // Every fourth is short of gems.
      crowd.push(await newCustomer(app, { gems: n % 4 === 3 ? 5 : 10 }));
    }
    const answers = await Promise.all(crowd.map((customer) => queue(app, customer)));
    assertEquals(tally(answers), { "201": 18, "402 insufficient_gems": 6 });
    for (const [at, { status, body }] of answers.entries()) {
      const customer = crowd[at];
      if (status === 402) {
        assertEquals(body["details"], { gem_balance: 5, gem_cost: 10 });
        continue;
      }
      const owner = "select user_id as value from public.videos where id = $1";
      assertEquals(await value(app.db, owner, [body["video_id"]]), customer?.id);
    }
    assertEquals(
      await app.db.query(
        "select gem_balance, count(*)::int from public.users group by 1 order by 1",
      ),
      [{ gem_balance: 0, count: 18 }, { gem_balance: 5, count: 6 }],
    );
    assertEquals(await brokenInvariants(app.db), []);
  });
});

Deno.test("F16 one Idempotency-Key: twice and twenty times at once is one video and one answer; another body is 409", async () => {
  await withApp(BY_HAND, async (app) => {
    const customer = await newCustomer(app);
    const first = await queue(app, customer, { key: "tap-1" });
    assertEquals(first.status, 201);
    const again = await queue(app, customer, { key: "tap-1" });
    assertEquals([again.status, again.body], [first.status, first.body]);

    const many = await Promise.all(
      Array.from({ length: 20 }, () => queue(app, customer, { key: "tap-2" })),
    );
    assertEquals(tally(many), { "201": 20 });
    assertEquals(new Set(many.map((answer) => JSON.stringify(answer.body))).size, 1);

    // As another part of the app writes the same ids.
    const loud = { child_id: customer.childId.toUpperCase(), rhyme_id: TWINKLE.toUpperCase() };
    const shouted = await queue(app, customer, { key: "tap-1", ...loud });
    assertEquals([shouted.status, shouted.body], [first.status, first.body]);

    const other = await queue(app, customer, { key: "tap-1", seed: 7 });
    assertEquals([other.status, other.body["code"]], [409, "idempotency_key_reused"]);
    assertEquals(await value(app.db, "select count(*)::int as value from public.videos"), 2);
    assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 80);
    assertEquals(await brokenInvariants(app.db), []);
  });
});

Deno.test("a key that is sent again when its video has left the queue: the same video, and no word of a queue", async () => {
  await withApp(BY_HAND, async (app) => {
    const customer = await newCustomer(app);
    const first = await queue(app, customer, { key: "tap" });
    const { message, ...rest } = first.body;
    assertEquals(
      message,
      '"Twinkle, Twinkle, Little Star" is in the queue. It costs 10 gems.',
    );
    await app.db.query("select public.cancel_video($1, $2)", [customer.id, first.body["video_id"]]);
    const again = await queue(app, customer, { key: "tap" });
    assertEquals([again.status, again.body], [201, {
      ...rest,
      message: '"Twinkle, Twinkle, Little Star" was ordered before. Nothing more was charged.',
    }]);
  });
});

Deno.test("more than queue_limit videos under way: 429 with Retry-After, nothing charged", async () => {
  await withApp({ ...BY_HAND, settings: { queue_limit: 2 } }, async (app) => {
    const customer = await newCustomer(app);
    const answers = await Promise.all(Array.from({ length: 5 }, () => queue(app, customer)));
    assertEquals(tally(answers), { "201": 2, "429 queue_limit": 3 });
    const refused = answers.find((answer) => answer.status === 429);
    assertEquals(refused?.headers.get("retry-after"), "30");
    assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 80);
  });
});

Deno.test("F15 gems are granted with a secret key, never with the public one or a user's token", async () => {
  await withApp(BY_HAND, async (app) => {
    const customer = await newCustomer(app, { gems: 10 });
    const grant = async (headers: Record<string, string>) => {
      const response = await fetch(`${app.supabaseUrl}/rest/v1/rpc/grant_gems`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({
          p_user_id: customer.id,
          p_amount: 1000,
          p_kind: "purchase",
          p_reason: "Free for me",
          p_idempotency_key: "mine",
        }),
      });
      await response.body?.cancel();
      return response.ok;
    };
    assertEquals(await grant({ apikey: app.publishableKey }), false);
    assertEquals(await grant(headersOf(app, customer)), false);
    assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 10);
    assertEquals(await grant({ apikey: app.secretKey }), true);
    assertEquals(await balanceOf(app.db, { userId: customer.id, childId: "" }), 1010);
  });
});
