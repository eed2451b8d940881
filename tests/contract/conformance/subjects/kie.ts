import {
  type KieKnobChanges,
  type KieSandbox,
  startKieSandbox,
} from "../../../../local/sandbox/kie.ts";
import { createKieProvider } from "../../../../shared/providers/kie/adapter.ts";
import { kieModels } from "../../../../shared/providers/kie/models.ts";
import type { VideoTask } from "../../../../shared/providers/provider.ts";
import { startReceiver } from "../receiver.ts";
import type { CallTrouble, Levers, RenderTrouble, Subject } from "../suite.ts";

/** The knob for each trouble of a call. */
const knobs: Readonly<Record<CallTrouble, keyof KieKnobChanges>> = {
  auth: "unauthorized",
  balance: "insufficientCredits",
  rate: "rateLimit",
  server: "serverError",
  lost_ack: "lostAck",
  hung_ack: "hungAck",
  late_server: "lateServerError",
  unreadable: "badJson",
};

const failures: Readonly<Record<RenderTrouble, readonly [code: string, message: string]>> = {
  provider: ["500", "Internal server error"],
  timeout: ["408", "Upstream did not answer for more than 10 minutes"],
  safety: ["400", "Your prompt was flagged as violating content policies"],
  validation: ["422", "The picture is too small"],
};

/** Faster than any case hands tasks over; the pace has tests of its own. */
const FAST = { most: 10_000, perMs: 10_000 };

/** KIE: one call a task, ids of its own, the code in the body, signed callbacks. */
export const kie: Subject = {
  name: "kie",
  lacks: {
    progress: "a record has the field, and it is never filled",
    cancel: "its API has no such call",
    "fresh urls": "a record keeps the link it was given",
  },
  async start() {
    const sandbox = await startKieSandbox({
      knobs: { manual: true, queueMs: 0, hiddenMs: 0, rateMost: FAST.most, callbackKey: "key" },
    });
    const receiver = startReceiver();
    const { apiKey, url } = sandbox;
    const settings = { url, mediaHosts: [new URL(url).host], pace: FAST };
    return {
      provider: createKieProvider({ apiKey, ...settings }),
      intruder: createKieProvider({ apiKey: "not-the-key", ...settings }),
      hasty: createKieProvider({ apiKey, ...settings, timeoutMs: 200 }),
      apiKey,
      models: kieModels,
      levers: leversOf(sandbox, receiver.bodies),
      task: () => task(receiver.url),
      async close() {
        await sandbox.close();
        await receiver.close();
      },
    };
  },
};

function task(webhookUrl: string): VideoTask {
  return {
    id: crypto.randomUUID(),
    model: "kling-2.6",
    prompt: "A duck walks into a pond.",
    durationSeconds: 5,
    width: 1920,
    height: 1080,
    webhookUrl,
  };
}

function leversOf({ control }: KieSandbox, bodies: readonly unknown[]): Levers {
  return {
    trouble: (kind, on) => void control.configure({ [knobs[kind]]: { next: 1, on } }),
    rateLimit: (retryAfterSeconds) =>
      void control.configure({ rateLimit: { next: 1, on: "submit" }, retryAfterSeconds }),
    badTask(kind) {
      const one = task("http://127.0.0.1:9/never");
      if (kind === "validation") return { ...one, durationSeconds: 7 };
      control.configure({ refuseWord: "dragon" });
      return { ...one, prompt: "A dragon walks into a pond." };
    },
    advance: () => control.advance(3_000),
    finish: (id) => void control.finish(id),
    fail: (id, kind) => void control.fail(id, ...failures[kind]),
    expire: (id) => control.expire(id),
    unknownTask: () => crypto.randomUUID().replaceAll("-", ""),
    async callBackTwice(id) {
      // Its own one, sent when the task ended, is on its way or was received.
      await control.waitFor(({ callbacksDelivered }) => callbacksDelivered > 0);
      await control.callBack(id);
      return bodies.slice(0, 2);
    },
    bought: () => control.state().counts.accepted,
    calls: () => control.state().counts.calls,
  };
}
