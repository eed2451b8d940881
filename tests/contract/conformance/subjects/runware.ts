import {
  type KnobChanges,
  type RunwareSandbox,
  startRunwareSandbox,
} from "../../../../local/sandbox/runware.ts";
import type { VideoTask } from "../../../../shared/providers/provider.ts";
import { createRunwareProvider } from "../../../../shared/providers/runware/adapter.ts";
import { runwareModels } from "../../../../shared/providers/runware/models.ts";
import { startReceiver } from "../receiver.ts";
import type { CallTrouble, Levers, RenderTrouble, Subject } from "../suite.ts";

/** The knob for each trouble of a call. */
const knobs: Readonly<Record<CallTrouble, keyof KnobChanges>> = {
  auth: "invalidApiKey",
  balance: "insufficientCredits",
  rate: "rateLimit",
  server: "serverError",
  lost_ack: "lostAck",
  hung_ack: "hungAck",
  late_server: "lateServerError",
  unreadable: "badJson",
};

const failures: Readonly<Record<RenderTrouble, string>> = {
  provider: "providerError",
  timeout: "timeoutProvider",
  safety: "invalidProviderContent",
  validation: "unsupportedImageFormat",
};

/** Runware: one array for many tasks, ids of ours, webhooks. */
export const runware: Subject = {
  name: "runware",
  lacks: {
    cancel: "its API has no such task type",
    "fresh urls": "a result lives as long as the ttl that was asked for",
  },
  async start() {
    // With time in our hands, "half done" needs no waiting.
    const sandbox = await startRunwareSandbox({
      knobs: { unknownId: "taskNotFound", manual: true },
    });
    const receiver = startReceiver();
    const { apiKey, url } = sandbox;
    const settings = { url, mediaHosts: [new URL(url).host] };
    return {
      provider: createRunwareProvider({ apiKey, ...settings }),
      intruder: createRunwareProvider({ apiKey: "not-the-key", ...settings }),
      hasty: createRunwareProvider({ apiKey, ...settings, timeoutMs: 200 }),
      apiKey,
      models: runwareModels,
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
    model: "pixverse:1@5",
    prompt: "A duck walks into a pond.",
    durationSeconds: 8,
    width: 1920,
    height: 1080,
    webhookUrl,
  };
}

function leversOf({ control }: RunwareSandbox, bodies: readonly unknown[]): Levers {
  return {
    trouble: (kind, on) => void control.configure({ [knobs[kind]]: { next: 1, on } }),
    rateLimit: (retryAfterSeconds) =>
      void control.configure({ rateLimit: { next: 1, on: "submit" }, retryAfterSeconds }),
    badTask(kind) {
      const one = task("http://127.0.0.1:9/never");
      if (kind === "validation") return { ...one, durationSeconds: 7 };
      control.configure({ safetyRefusal: { next: 1 } });
      return one;
    },
    advance: () => control.advance(3_000),
    finish: (id) => void control.finish(id),
    fail: (id, kind) => void control.fail(id, failures[kind]),
    expire: (id) => void control.expire(id),
    unknownTask: () => crypto.randomUUID(),
    async callBackTwice(id) {
      // Its own one, sent when the task ended, is on its way or was received.
      await control.waitFor(({ counts, webhooksPending }) =>
        counts.webhooksDelivered > 0 && webhooksPending === 0
      );
      await control.webhook(id);
      return bodies.slice(0, 2);
    },
    bought: () => control.state().counts.tasksAccepted,
    calls: () => control.state().counts.posts,
  };
}
