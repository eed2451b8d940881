import type { RunwareSandbox } from "../../../local/sandbox/runware.ts";
import type { Shop } from "./shop.ts";

/** Runware's sandbox. Its tasks have the ids of our attempts. */
export function runwareShop({ control }: Pick<RunwareSandbox, "control">): Shop {
  return {
    name: "runware",
    choosesTaskId: true,
    reset: () => control.reset(),
    configure: (knobs: Parameters<typeof control.configure>[0]) => void control.configure(knobs),
    config: () => ({ ...control.config() }),
    tasks: () =>
      control.state().tasks.map(({ taskUUID: id, status }) => ({ id, prompt: "", status })),
    counts() {
      const { tasksAccepted: bought, ...counts } = control.state().counts;
      return { bought, ...counts };
    },
    finish: (id) => void control.finish(id),
    fail: (id, code) => void control.fail(id, code, "The sandbox was asked to fail this one"),
    expire: (id) => control.expire(id),
    advance: (ms) => control.advance(ms),
    settled: () => control.waitFor(({ webhooksPending }) => webhooksPending === 0),
  };
}
