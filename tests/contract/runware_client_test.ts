/**
 * Our client and adapter against the sandbox of Runware, over real HTTP. The sandbox's rules and
 * tables were written by other hands from the same documentation, so each is a check of the other.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { allows, type ModelSpec, type Size } from "../../shared/domain/models.ts";
import { checkRequest } from "../../shared/domain/model_limits.ts";
import type { VideoProvider, VideoTask } from "../../shared/providers/provider.ts";
import { CallError } from "../../shared/providers/http.ts";
import { createRunwareProvider } from "../../shared/providers/runware/adapter.ts";
import { runwareModels } from "../../shared/providers/runware/models.ts";
import {
  type KnobChanges,
  type RunwareSandbox,
  startRunwareSandbox,
} from "../../local/sandbox/runware.ts";
import { standing } from "../support/runware_support.ts";

const IMAGE = "https://project.example/avatars/mia.png";

interface Fixture {
  readonly sandbox: RunwareSandbox;
  readonly provider: VideoProvider;
}

/** Runs the work against a sandbox of its own, whose tasks end only when told to. */
async function withSandbox(knobs: KnobChanges, work: (fixture: Fixture) => Promise<void>) {
  const sandbox = await startRunwareSandbox({ knobs: { manual: true, ...knobs } });
  const { apiKey, url } = sandbox;
  try {
    const provider = createRunwareProvider({ apiKey, url, timeoutMs: 5_000 });
    await work({ sandbox, provider });
  } finally {
    await sandbox.close();
  }
}

function task(more: Partial<VideoTask> = {}): VideoTask {
  return {
    id: crypto.randomUUID(),
    model: "pixverse:1@3",
    prompt: "A duck walks into a pond.",
    durationSeconds: 8,
    width: 1920,
    height: 1080,
    ...more,
  };
}

function tasks(count: number): VideoTask[] {
  return Array.from({ length: count }, () => task());
}

Deno.test("a task goes from handed over to finished, with its file and its cost", () =>
  withSandbox({}, async ({ sandbox, provider }) => {
    const one = task({ negativePrompt: "violence", firstFrame: IMAGE, fps: 24, seed: 7 });
    assertEquals(await provider.submit([one]), [
      { id: one.id, outcome: "accepted", providerTaskId: one.id },
    ]);
    const [working] = await provider.poll([one.id]);
    assertEquals(working, { id: one.id, state: "processing", progress: 0 });
    const { videoURLs, cost } = sandbox.control.finish(one.id);
    assertEquals(await provider.poll([one.id]), [
      { id: one.id, state: "succeeded", videoUrl: videoURLs[0], costUsd: cost },
    ]);
  }));

Deno.test("F26 a hundred videos take two calls to hand over and one to ask about", () =>
  withSandbox({}, async ({ sandbox, provider }) => {
    const all = tasks(100);
    for (let from = 0; from < all.length; from += provider.submitBatch) {
      const outcomes = await provider.submit(all.slice(from, from + provider.submitBatch));
      assertEquals(new Set(outcomes.map(standing)), new Set(["accepted"]));
    }
    for (let from = 0; from < all.length; from += provider.pollBatch) {
      const ids = all.slice(from, from + provider.pollBatch).map(({ id }) => id);
      assertEquals(new Set((await provider.poll(ids)).map(standing)), new Set(["processing"]));
    }
    const { counts } = sandbox.control.state();
    assertEquals([counts.submitPosts, counts.pollPosts, counts.tasksAccepted], [2, 1, 100]);
  }));

const lostAnswers: readonly (readonly [name: string, knobs: KnobChanges, first: string])[] = [
  ["is cut off", { lostAck: { next: 1 } }, "unknown server network"],
  ["is a status 500", { lateServerError: { next: 1 } }, "unknown server internalServerError"],
  ["is a page of HTML", { badJson: { next: 1 } }, "unknown server unreadable"],
  ["names no task", { emptyAck: { next: 1 } }, "accepted"],
];

for (const [name, knobs, first] of lostAnswers) {
  Deno.test(`a task whose acknowledgement ${name} is bought once, however often it is handed over`, () =>
    withSandbox(knobs, async ({ sandbox, provider }) => {
      const one = task();
      assertEquals((await provider.submit([one])).map(standing), [first]);
      assertEquals((await provider.submit([one])).map(standing), ["accepted"]);
      assertEquals((await provider.submit([one, task()])).map(standing), ["accepted", "accepted"]);
      const { counts } = sandbox.control.state();
      assertEquals(counts.tasksAccepted, 2);
    }));
}

Deno.test("an acknowledgement that never comes ends at our own deadline, and the task is found again", () =>
  withSandbox({ hungAck: { next: 1 } }, async ({ sandbox }) => {
    const { apiKey, url } = sandbox;
    const one = task();
    const hasty = createRunwareProvider({ apiKey, url, timeoutMs: 200 });
    assertEquals((await hasty.submit([one])).map(standing), ["unknown server deadline"]);
    const patient = createRunwareProvider({ apiKey, url });
    assertEquals((await patient.submit([one])).map(standing), ["accepted"]);
    assertEquals(sandbox.control.state().counts.tasksAccepted, 1);
  }));

const turnedAway: readonly (readonly [knobs: KnobChanges, submit: string, poll: string])[] = [
  [{ invalidApiKey: 1 }, "refused auth invalidApiKey", "unanswered auth invalidApiKey"],
  [
    { insufficientCredits: 1 },
    "refused balance insufficientCredits",
    "unanswered balance insufficientCredits",
  ],
  [{ rateLimit: 1 }, "refused rate rateLimitExceeded", "unanswered rate rateLimitExceeded"],
  [
    { serverError: 1 },
    "unknown server internalServerError",
    "unanswered server internalServerError",
  ],
  [
    { noServer: 1 },
    "refused unavailable noAvailableServer",
    "unanswered unavailable noAvailableServer",
  ],
  [{ droppedRequest: 1 }, "unknown server network", "unanswered server network"],
];

for (const [knobs, submit, poll] of turnedAway) {
  Deno.test(`a call that Runware turns away (${Object.keys(knobs)}) buys nothing: ${submit}`, () =>
    withSandbox({ balanceUsd: 100, ...knobs }, async ({ sandbox, provider }) => {
      const two = tasks(2);
      assertEquals((await provider.submit(two)).map(standing), [submit, submit]);
      assertEquals((await provider.poll(two.map(({ id }) => id))).map(standing), [poll, poll]);
      assertEquals(sandbox.control.state().counts.tasksAccepted, 0);
    }));
}

Deno.test("a rate limit carries the seconds Runware asks us to wait", () =>
  withSandbox({ rateLimit: 1, retryAfterSeconds: 42 }, async ({ provider }) => {
    const [outcome] = await provider.submit([task()]);
    assertEquals(outcome && "error" in outcome && outcome.error.retryAfterSeconds, 42);
  }));

Deno.test("one bad task of a batch is refused by name, the others are taken", () =>
  withSandbox({}, async ({ provider }) => {
    const bad = task({ durationSeconds: 7 });
    const outcomes = await provider.submit([task(), bad, task()]);
    assertEquals(outcomes.map(standing), [
      "accepted",
      "refused validation unsupportedDuration",
      "accepted",
    ]);
    const [, refused] = outcomes;
    const error = refused !== undefined && "error" in refused ? refused.error : undefined;
    assertEquals([error?.parameter, error?.allowedValues], ["duration", [5, 8]]);
  }));

Deno.test("a refused prompt is told as refused content", () =>
  withSandbox({ safetyRefusal: 1 }, async ({ provider }) => {
    assertEquals((await provider.submit([task()])).map(standing), [
      "refused safety contentPolicyViolation",
    ]);
  }));

const formsOfSuccess: readonly KnobChanges[] = [
  { receiptForm: "full" },
  { receiptForm: "noStatus" },
  { receiptForm: "media" },
  { receiptForm: "full", shuffledReplies: true },
];

for (const knobs of formsOfSuccess) {
  Deno.test(`F19 a finished video is seen in the form ${JSON.stringify(knobs)}`, () =>
    withSandbox(knobs, async ({ sandbox, provider }) => {
      const two = tasks(2);
      const ids = two.map(({ id }) => id);
      await provider.submit(two);
      const files = ids.map((id) => sandbox.control.finish(id).videoURLs[0]);
      const states = await provider.poll(ids);
      assertEquals(states.map((one) => one.state === "succeeded" && one.videoUrl), files);
    }));
}

for (const failureForm of ["errors", "item", "flatItem"] as const) {
  for (const failedPollStatus of [200, 400, 500]) {
    Deno.test(`F19 a failed video is seen as ${failureForm} with status ${failedPollStatus}`, () =>
      withSandbox({ failureForm, failedPollStatus }, async ({ sandbox, provider }) => {
        const two = tasks(2);
        await provider.submit(two);
        for (const { id } of two) sandbox.control.fail(id, "timeoutProvider");
        assertEquals((await provider.poll(two.map(({ id }) => id))).map(standing), [
          "failed timeout timeoutProvider",
          "failed timeout timeoutProvider",
        ]);
      }));
  }
}

for (
  const [unknownId, expected] of [
    ["processing", "processing"],
    ["empty", "unanswered server unreadable"],
    ["taskNotFound", "missing not_found taskNotFound"],
  ] as const
) {
  Deno.test(`a task Runware never had is ${expected}, where it answers ${unknownId}`, () =>
    withSandbox({ unknownId }, async ({ provider }) => {
      assertEquals((await provider.poll([crypto.randomUUID()])).map(standing), [expected]);
    }));
}

Deno.test("a working video is seen in both forms, with and without progress", async () => {
  for (const processingForm of ["videoInference", "getResponse"] as const) {
    await withSandbox({ processingForm, sendProgress: false }, async ({ provider }) => {
      const one = task();
      await provider.submit([one]);
      assertEquals(await provider.poll([one.id]), [{ id: one.id, state: "processing" }]);
    });
  }
});

for (const webhookForm of ["wrapped", "flat", "mixed"] as const) {
  Deno.test(`webhooks in the form ${webhookForm} are read, of a success and of a failure`, () =>
    withSandbox({ webhookForm }, async ({ sandbox, provider }) => {
      const bodies: unknown[] = [];
      const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (call) => {
        bodies.push(await call.json());
        return new Response();
      });
      try {
        const webhookUrl = `http://127.0.0.1:${server.addr.port}/?token=t`;
        const [good, bad] = [task({ webhookUrl }), task({ webhookUrl })];
        await provider.submit([good, bad]);
        sandbox.control.finish(good.id);
        sandbox.control.fail(bad.id, "providerError");
        await sandbox.control.waitFor(({ counts }) => counts.webhooksDelivered === 2);
        const told = bodies.flatMap((body) => provider.parseEvent(body));
        const asked = await provider.poll([good.id, bad.id]);
        assertEquals(
          new Map(told.map((one) => [one.id, standing(one)])),
          new Map([
            [good.id, "succeeded"],
            [bad.id, "failed provider providerError"],
          ]),
        );
        assertEquals(asked.map(standing), ["succeeded", "failed provider providerError"]);
      } finally {
        await server.shutdown();
      }
    }));
}

Deno.test("what is left on the account is read in both forms", async () => {
  for (const balanceForm of ["number", "object"] as const) {
    await withSandbox({ balanceForm, balanceUsd: 250 }, async ({ provider }) => {
      assertEquals(await provider.balanceUsd(), 250);
    });
  }
});

Deno.test("a wrong key is told as such, for the balance too", () =>
  withSandbox({}, async ({ sandbox }) => {
    const provider = createRunwareProvider({ apiKey: "not-the-key", url: sandbox.url });
    assertEquals((await provider.submit([task()])).map(standing), ["refused auth invalidApiKey"]);
    const error = await assertRejects(() => provider.balanceUsd(), CallError);
    assertEquals(error.kind, "auth");
  }));

Deno.test("what our table allows, Runware takes: every model, size, length and kind of start", () =>
  withSandbox({}, async ({ provider }) => {
    const all = runwareModels.filter(({ retired }) => retired !== true).flatMap(everyWay);
    assertEquals(all.length > 1_000, true);
    const refusals: string[] = [];
    for (let from = 0; from < all.length; from += 200) {
      const batch = all.slice(from, from + 200);
      const outcomes = await provider.submit(batch);
      refusals.push(...outcomes.map(standing).filter((word) => word !== "accepted"));
    }
    assertEquals(refusals, []);
  }));

/** Requests that `checkRequest` refuses, by what is wrong with them. */
const forbidden:
  readonly (readonly [string, (spec: ModelSpec) => Partial<VideoTask> | undefined])[] = [
    ["half a second", () => ({ durationSeconds: 0.5 })],
    [
      "words alone where it needs a picture",
      ({ modes }) => modes.includes("text") ? undefined : {},
    ],
    [
      "a last frame where it takes none",
      ({ frames }) => frames.last ? undefined : { firstFrame: IMAGE, lastFrame: IMAGE },
    ],
    [
      "a prompt that is too long",
      ({ promptMax }) => ({ firstFrame: IMAGE, prompt: "a".repeat(promptMax + 1) }),
    ],
  ];

for (const [name, wrong] of forbidden) {
  Deno.test(`what our table forbids, Runware refuses too: ${name}`, () =>
    withSandbox({}, async ({ provider }) => {
      const asked = runwareModels.filter(({ retired }) => retired !== true).flatMap((spec) => {
        const more = wrong(spec);
        const size = spec.tiers[0]?.sizes[0] ?? { width: 1280, height: 720 };
        const [durationSeconds = 5] = lengthsOf(spec);
        return more === undefined
          ? []
          : [task({ model: spec.id, durationSeconds, ...size, ...more })];
      });
      const outcomes = await provider.submit(asked);
      const taken = asked.filter((_one, index) => outcomes[index]?.outcome !== "refused");
      assertEquals(taken.map(({ model }) => model), []);
    }));
}

/** Each combination that `checkRequest` lets through. */
function everyWay(spec: ModelSpec): VideoTask[] {
  const tiers = spec.tiers.length > 0 ? spec.tiers : [{ sizes: [{ width: 1280, height: 720 }] }];
  const starts = [{}, { firstFrame: IMAGE }, { firstFrame: IMAGE, lastFrame: IMAGE }];
  const ways = tiers.flatMap((tier) =>
    tier.sizes.flatMap((size: Size) =>
      starts.flatMap((start) =>
        lengthsOf(spec).map((durationSeconds) =>
          task({ model: spec.id, durationSeconds, ...size, ...start })
        )
      )
    )
  );
  return ways.filter((way) => checkRequest(spec, way).length === 0);
}

function lengthsOf({ durations }: ModelSpec): number[] {
  const tried = [1, 1.2, 2, 4, 5, 6, 7, 8, 10, 12];
  return "list" in durations
    ? [...durations.list]
    : tried.filter((seconds) => allows(durations, seconds));
}
