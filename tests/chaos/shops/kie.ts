import type { KieSandbox } from "../../../local/sandbox/kie.ts";
import type { Shop } from "./shop.ts";

const STATUS = {
  waiting: "processing",
  queuing: "processing",
  generating: "processing",
  success: "success",
  fail: "error",
} as const;

/** KIE's sandbox. It makes up its own ids. */
export function kieShop({ control }: Pick<KieSandbox, "control">): Shop {
  return {
    name: "kie",
    choosesTaskId: false,
    reset: () => control.reset(),
    configure: (knobs: Parameters<typeof control.configure>[0]) => void control.configure(knobs),
    config: () => control.configure({}),
    tasks: () =>
      control.state().tasks.map(({ taskId: id, prompt, state }) => ({
        id,
        prompt,
        status: STATUS[state],
      })),
    counts() {
      const { accepted: bought, mediaGets, callbacksSent, callbacksDelivered } = control.state()
        .counts;
      return {
        ...{ bought, mediaGets, conflicts: 0 },
        ...{ webhooksSent: callbacksSent, webhooksDelivered: callbacksDelivered },
      };
    },
    finish: (id) => void control.finish(id),
    fail: (id, code) => void control.fail(id, code),
    expire: (id) => control.expire(id),
    advance: (ms) => control.advance(ms),
    settled: () => control.waitFor(({ callbacksPending }) => callbacksPending === 0),
  };
}
