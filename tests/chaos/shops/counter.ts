/** One counter for all shops that a video may be made at. */
import type { Shop } from "./shop.ts";

/** What was sold there, and the hand on it. */
export type Counter = Pick<Shop, "choosesTaskId" | "tasks" | "finish" | "fail" | "expire">;

/** Of shops that are alike in who chooses the ids. */
export function counterOf(first: Shop, ...others: readonly Shop[]): Counter {
  const shops = [first, ...others];
  const sellerOf = (id: string): Shop => {
    const seller = shops.find((shop) => shop.tasks().some((task) => task.id === id));
    if (seller === undefined) throw new Error(`Nobody has sold the task "${id}"`);
    return seller;
  };
  return {
    choosesTaskId: first.choosesTaskId,
    tasks: () => shops.flatMap((shop) => shop.tasks()),
    finish: (id) => sellerOf(id).finish(id),
    fail: (id, code) => sellerOf(id).fail(id, code),
    expire: (id) => sellerOf(id).expire(id),
  };
}
