/**
 * Holds the Runway sandbox to a client that we did not write, the real `@runwayml/sdk`, and our own
 * adapter to the same fixtures: both must see the same.
 */
import { assertEquals, assertRejects } from "@std/assert";
import RunwayML, {
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  RateLimitError,
} from "@runwayml/sdk";
import {
  type RunwayKnobChanges,
  type RunwaySandbox,
  startRunwaySandbox,
} from "../../local/sandbox/runway.ts";
import { createRunwayProvider } from "../../shared/providers/runway/adapter.ts";
import type { VideoProvider } from "../../shared/providers/provider.ts";
import { standing } from "../support/runware_support.ts";
import { runwayTask } from "../support/runway_support.ts";

const PICTURE = "https://project.example/avatars/mia.png";
const WORDS = {
  model: "gen4.5",
  promptText: "A duck walks into a pond.",
  ratio: "1280:720",
  duration: 5,
} as const;

interface Both {
  readonly sdk: RunwayML;
  readonly ours: VideoProvider;
  readonly sandbox: RunwaySandbox;
}

/** Runs the work against a sandbox of its own, whose tasks end only when told to. */
async function withBoth(knobs: RunwayKnobChanges, work: (both: Both) => Promise<void>) {
  const sandbox = await startRunwaySandbox({ knobs: { manual: true, pendingMs: 0, ...knobs } });
  const { apiKey, url } = sandbox;
  try {
    await work({
      sandbox,
      // With its retries the SDK would create a second task after a lost answer.
      sdk: new RunwayML({ apiKey, baseURL: url, maxRetries: 0 }),
      ours: createRunwayProvider({ apiKey, url, mediaHosts: [new URL(url).host] }),
    });
  } finally {
    await sandbox.close();
  }
}

Deno.test("sdk: both create, poll and get the same file and cost", () =>
  withBoth({}, async ({ sdk, ours, sandbox }) => {
    const { id, estimatedCost } = await sdk.textToVideo.create(WORDS);
    assertEquals(estimatedCost.credits, 60);
    assertEquals((await sdk.tasks.retrieve(id)).status, "RUNNING");
    assertEquals((await ours.poll([id])).map(standing), ["processing"]);
    sandbox.control.finish(id);
    const told = await sdk.tasks.retrieve(id);
    const [state] = await ours.poll([id]);
    if (told.status !== "SUCCEEDED" || state?.state !== "succeeded") {
      throw new Error(`The task is ${told.status} to the SDK and ${state?.state} to us`);
    }
    assertEquals(state.costUsd, told.cost.credits / 100);
    for (const url of [state.videoUrl, ...told.output]) {
      const file = await fetch(url);
      assertEquals(file.headers.get("content-type"), "video/mp4");
      await file.body?.cancel();
    }
  }));

Deno.test("sdk: a video from a picture, and from a first and a last one", () =>
  withBoth({}, async ({ sdk, ours, sandbox }) => {
    await sdk.imageToVideo.create({ model: "gen4_turbo", promptImage: PICTURE, ratio: "960:960" });
    await sdk.imageToVideo.create({
      model: "veo3.1",
      promptImage: [{ uri: PICTURE, position: "first" }, { uri: PICTURE, position: "last" }],
      ratio: "1920:1080",
      duration: 8,
      audio: false,
    });
    const frames = { firstFrame: PICTURE, lastFrame: PICTURE };
    const veo = { model: "veo3.1", durationSeconds: 8, width: 1920, height: 1080, ...frames };
    assertEquals((await ours.submit([runwayTask(veo)])).map(standing), ["accepted"]);
    const tasks = sandbox.control.state().tasks.map(({ model }) => model);
    assertEquals(tasks, ["gen4_turbo", "veo3.1", "veo3.1"]);
  }));

Deno.test("sdk: what the API refuses, both are refused", () =>
  withBoth({}, async ({ sdk, ours, sandbox }) => {
    await assertRejects(
      () => sdk.textToVideo.create({ ...WORDS, duration: 30 }),
      BadRequestError,
      "Validation of body failed",
    );
    const [outcome] = await ours.submit([runwayTask({ durationSeconds: 30 })]);
    assertEquals(standing(outcome), "refused validation http_400");
    assertEquals(outcome && "error" in outcome && outcome.error.parameter, "duration");
    assertEquals(sandbox.control.state().counts.accepted, 0);
  }));

Deno.test("sdk: key, pace and account are told to both alike", () =>
  withBoth({}, async ({ sdk, ours, sandbox }) => {
    const intruder = new RunwayML({ apiKey: "key_wrong", baseURL: sandbox.url, maxRetries: 0 });
    await assertRejects(() => intruder.textToVideo.create(WORDS), AuthenticationError);

    sandbox.control.configure({ rateLimit: { next: 2, on: "submit" } });
    await assertRejects(() => sdk.textToVideo.create(WORDS), RateLimitError);
    assertEquals((await ours.submit([runwayTask()])).map(standing), ["refused rate http_429"]);

    sandbox.control.configure({ creditBalance: 59 });
    await assertRejects(() => sdk.textToVideo.create(WORDS), BadRequestError, "enough credits");
    assertEquals((await ours.submit([runwayTask()])).map(standing), [
      "refused balance insufficient_credits",
    ]);
    const { creditBalance } = await sdk.organization.retrieve();
    assertEquals([creditBalance, await ours.balanceUsd()], [59, 0.59]);
  }));

Deno.test("sdk: a failed task tells both its code", () =>
  withBoth({}, async ({ sdk, ours, sandbox }) => {
    const { id } = await sdk.textToVideo.create(WORDS);
    sandbox.control.fail(id, "SAFETY.OUTPUT.VIDEO");
    const told = await sdk.tasks.retrieve(id);
    assertEquals(
      told.status === "FAILED" ? told.failureCode : told.status,
      "SAFETY.OUTPUT.VIDEO",
    );
    assertEquals((await ours.poll([id])).map(standing), ["failed safety SAFETY.OUTPUT.VIDEO"]);
  }));

Deno.test("sdk: what one of them deletes, the other does not find", () =>
  withBoth({}, async ({ sdk, ours }) => {
    const { id } = await sdk.textToVideo.create(WORDS);
    await sdk.tasks.delete(id);
    assertEquals((await ours.poll([id])).map(standing), ["missing not_found http_404"]);
    const [mine] = await ours.submit([runwayTask()]);
    const other = mine?.outcome === "accepted" ? mine.providerTaskId : "";
    assertEquals(await ours.cancel?.(other), { outcome: "cancelled" });
    await assertRejects(() => sdk.tasks.retrieve(other), NotFoundError);
    await assertRejects(() => sdk.tasks.delete(other), NotFoundError);
  }));

Deno.test("sdk: with its own retries a lost answer is bought twice; without them, and with ours, once", () =>
  withBoth({}, async ({ sdk, ours, sandbox }) => {
    const bought = () => sandbox.control.state().counts.accepted;
    const eager = new RunwayML({ apiKey: sandbox.apiKey, baseURL: sandbox.url });
    sandbox.control.configure({ lateServerError: { next: 1 } });
    await eager.textToVideo.create(WORDS);
    assertEquals(bought(), 2, "this is why the SDK is not used to create");

    sandbox.control.configure({ lateServerError: { next: 2 } });
    await assertRejects(() => sdk.textToVideo.create(WORDS));
    assertEquals((await ours.submit([runwayTask()])).map(standing), ["unknown server http_500"]);
    assertEquals(bought(), 4);
  }));
