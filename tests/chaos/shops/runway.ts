import type { RunwaySandbox } from "../../../local/sandbox/runway.ts";
import type { Shop } from "./shop.ts";

const STATUS = {
  PENDING: "processing",
  THROTTLED: "processing",
  RUNNING: "processing",
  SUCCEEDED: "success",
  FAILED: "error",
  CANCELLED: "error",
} as const;

/** Runway's sandbox. It makes up its own ids and calls nobody back. */
export function runwayShop({ control }: Pick<RunwaySandbox, "control">): Shop {
  return {
    name: "runway",
    choosesTaskId: false,
    reset: () => control.reset(),
    configure: (knobs: Parameters<typeof control.configure>[0]) => void control.configure(knobs),
    config: () => control.configure({}),
    tasks: () =>
      control.state().tasks.map(({ id, prompt, status }) => ({
        id,
        prompt,
        status: STATUS[status],
      })),
    counts() {
      const { accepted: bought, mediaGets } = control.state().counts;
      return { bought, mediaGets, conflicts: 0, webhooksSent: 0, webhooksDelivered: 0 };
    },
    finish: (id) => void control.finish(id),
    fail: (id, code) => void control.fail(id, code),
    expire: (id) => control.expire(id),
    advance: (ms) => control.advance(ms),
    settled: () => Promise.resolve(),
  };
}
