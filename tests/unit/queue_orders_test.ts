import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Order, placeTogether, type QueueVideos } from "../../shared/doors/queue_orders.ts";
import { fromRpcError, HttpError } from "../../shared/http/http_error.ts";

const order = (user_id: string): Order => ({
  user_id,
  request: {},
  input_hash: "hash",
  expected_seconds: 60,
  idempotency_key: null,
});
const video = {
  video_id: "00000000-0000-4000-8000-000000000001",
  estimated_completion: "2026-01-01T00:00:00Z",
  estimated_seconds: 60,
  gem_cost: 10,
  provider: "runware",
  model: "pixverse:1@5",
  model_reason: null,
  status: "queued",
  replayed: false,
};

/** Answers each by its user's name, and writes the calls down. */
function scripted(byUser: (user: string, wait: boolean) => unknown) {
  const calls: { users: string[]; wait: boolean }[] = [];
  const queueVideos: QueueVideos = async (orders, { wait }) => {
    calls.push({ users: orders.map(({ user_id }) => user_id), wait });
    await Promise.resolve();
    return orders.map(({ user_id }) => byUser(user_id, wait));
  };
  return { calls, placeOrder: placeTogether(queueVideos) };
}
const made = (user: string) => ({ video: { ...video, title: user } });

Deno.test("orders that come in together share calls, and each gets its own answer", async () => {
  const { calls, placeOrder } = scripted(made);
  const users = ["a", "b", "c", "d", "e"];
  const placed = await Promise.all(users.map((user) => placeOrder(order(user))));
  assertEquals(placed.map(({ title }) => title), users);
  assertEquals(calls, [
    { users: ["a", "b", "c"], wait: false },
    { users: ["d", "e"], wait: false },
  ]);
});

Deno.test("a refusal is one's own: the others in the call have their videos", async () => {
  const { placeOrder } = scripted((user) =>
    user === "poor" ? { error: { code: "GM001", message: "no", details: "{}" } } : made(user)
  );
  const calls = ["a", "b", "poor", "c"].map((user) => placeOrder(order(user)));
  const refused = await assertRejects(() => calls[2] ?? Promise.resolve(), HttpError);
  assertEquals([refused.status, refused.code], [402, "insufficient_gems"]);
  assertEquals((await calls[3])?.title, "c");
});

Deno.test("whoever is passed over is placed again alone, and waited for", async () => {
  const { calls, placeOrder } = scripted((user, wait) =>
    user === "held" && !wait ? { busy: true } : made(user)
  );
  assertEquals((await placeOrder(order("held"))).title, "held");
  assertEquals(calls, [{ users: ["held"], wait: false }, { users: ["held"], wait: true }]);
});

Deno.test("an order is placed under its own key, or under one that it is given for all its calls", async () => {
  const keys: (string | null)[] = [];
  const placeOrder = placeTogether(async (orders, { wait }) => {
    keys.push(...orders.map(({ idempotency_key }) => idempotency_key));
    await Promise.resolve();
    return orders.map(({ user_id }) => wait ? made(user_id) : { busy: true });
  });
  await placeOrder({ ...order("a"), idempotency_key: "a's own" });
  await placeOrder(order("b"));
  assertEquals(keys.slice(0, 2), ["a's own", "a's own"]);
  assertMatch(keys[2] ?? "none", /^[0-9a-f-]{36}$/);
  assertEquals(keys[3], keys[2], "placed again, it is the same order");
});

/** What the REST API, or somebody on the way, says of a call that failed. */
const failure = (code?: string) => fromRpcError({ message: "no", ...(code ? { code } : {}) });

Deno.test("a call that Postgres refused is made again for each; one of which nobody knows is not", async () => {
  const outcomes: Record<string, [number, number]> = {};
  for (
    const code of [
      "22P05",
      "40P01",
      "GM001",
      "53200",
      "55P03",
      "57014",
      "57P01",
      "08006",
      "PGRST003",
      "",
    ]
  ) {
    const tried: string[] = [];
    const placeOrder = placeTogether(async (orders) => {
      tried.push(orders.map(({ user_id }) => user_id).join());
      if (orders.length > 1) throw failure(code);
      return await Promise.resolve(orders.map(({ user_id }) => made(user_id)));
    });
    const ends = await Promise.allSettled(
      ["a", "b", "c", "d"].map((user) => placeOrder(order(user))),
    );
    assertEquals(tried.slice(0, 2), ["a,b", "c,d"]);
    outcomes[code] = [ends.filter((end) => end.status === "fulfilled").length, tried.length];
  }
  assertEquals(outcomes, {
    "22P05": [4, 6],
    "40P01": [4, 6],
    "GM001": [4, 6],
    "53200": [0, 2],
    "55P03": [0, 2],
    "57014": [0, 2],
    "57P01": [0, 2],
    "08006": [0, 2],
    "PGRST003": [0, 2],
    "": [0, 2],
  });
});
