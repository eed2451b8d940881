import { assertEquals, assertRejects } from "@std/assert";
import { type Order, placeTogether, type QueueVideos } from "../../shared/doors/queue_orders.ts";
import { HttpError } from "../../shared/http/http_error.ts";

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

Deno.test("orders that come in while others are placed share a call, and each gets its own answer", async () => {
  const { calls, placeOrder } = scripted(made);
  const users = ["a", "b", "c", "d", "e"];
  const placed = await Promise.all(users.map((user) => placeOrder(order(user))));
  assertEquals(placed.map(({ title }) => title), users);
  assertEquals(calls, [
    { users: ["a"], wait: false },
    { users: ["b"], wait: false },
    { users: ["c", "d", "e"], wait: false },
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

Deno.test("a call that fails for one of its orders is made again for each; one that nobody answers is not", async () => {
  const outcomes: [number, string[]][] = [];
  for (const status of [500, 503]) {
    const tried: string[] = [];
    const placeOrder = placeTogether((orders) => {
      tried.push(orders.map(({ user_id }) => user_id).join());
      if (orders.length > 1) throw new HttpError(status, "internal_error", "Something went wrong");
      return Promise.resolve(orders.map(({ user_id }) => made(user_id)));
    });
    const ends = await Promise.allSettled(
      ["a", "b", "c", "d"].map((user) => placeOrder(order(user))),
    );
    outcomes.push([ends.filter((end) => end.status === "fulfilled").length, tried]);
  }
  assertEquals(outcomes, [[4, ["a", "b", "c,d", "c", "d"]], [2, ["a", "b", "c,d"]]]);
});
