import {
  type RunwayKnobChanges,
  type RunwaySandbox,
  startRunwaySandbox,
} from "../../../../local/sandbox/runway.ts";
import type { VideoTask } from "../../../../shared/providers/provider.ts";
import { createRunwayProvider } from "../../../../shared/providers/runway/adapter.ts";
import { runwayModels } from "../../../../shared/providers/runway/models.ts";
import type { CallTrouble, Levers, RenderTrouble, Subject } from "../suite.ts";

/** The knob for each trouble of a call. */
const knobs: Readonly<Record<CallTrouble, keyof RunwayKnobChanges>> = {
  auth: "unauthorized",
  balance: "insufficientCredits",
  rate: "rateLimit",
  server: "badGateway",
  lost_ack: "lostAck",
  hung_ack: "hungAck",
  late_server: "lateServerError",
  unreadable: "badJson",
};

const failures: Readonly<Record<RenderTrouble, string>> = {
  provider: "INTERNAL.BAD_OUTPUT.CODE01",
  timeout: "none",
  safety: "SAFETY.INPUT.TEXT",
  validation: "ASSET.INVALID",
};

/** Runway: one call a task, ids of its own, DELETE, no callbacks. */
export const runway: Subject = {
  name: "runway",
  lacks: {
    callbacks: "its API calls nobody back",
    "render: timeout": "none of its failure codes tells of one",
  },
  async start() {
    const sandbox = await startRunwaySandbox({ knobs: { manual: true, pendingMs: 0 } });
    const { apiKey, url } = sandbox;
    const settings = { url, mediaHosts: [new URL(url).host] };
    return {
      provider: createRunwayProvider({ apiKey, ...settings }),
      intruder: createRunwayProvider({ apiKey: "not-the-key", ...settings }),
      hasty: createRunwayProvider({ apiKey, ...settings, timeoutMs: 200 }),
      apiKey,
      models: runwayModels,
      levers: leversOf(sandbox),
      task,
      close: () => sandbox.close(),
    };
  },
};

function task(): VideoTask {
  return {
    id: crypto.randomUUID(),
    model: "gen4.5",
    prompt: "A duck walks into a pond.",
    durationSeconds: 5,
    width: 1280,
    height: 720,
  };
}

function leversOf({ control }: RunwaySandbox): Levers {
  return {
    trouble: (kind, on) => void control.configure({ [knobs[kind]]: { next: 1, on } }),
    rateLimit: (retryAfterSeconds) =>
      void control.configure({ rateLimit: { next: 1, on: "submit" }, retryAfterSeconds }),
    badTask(kind) {
      if (kind === "validation") return { ...task(), durationSeconds: 11 };
      control.configure({ refuseWord: "dragon" });
      return { ...task(), prompt: "A dragon walks into a pond." };
    },
    advance: () => control.advance(3_000),
    finish: (id) => void control.finish(id),
    fail: (id, kind) => void control.fail(id, failures[kind]),
    expire: (id) => control.expire(id),
    unknownTask: () => crypto.randomUUID(),
    callBackTwice: () => Promise.resolve([]),
    bought: () => control.state().counts.accepted,
    calls: () => control.state().counts.calls,
  };
}
