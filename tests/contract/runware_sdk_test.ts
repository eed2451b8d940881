/**
 * Holds the Runware sandbox to a client that we did not write: the real `@runware/sdk-js`, over
 * WebSocket.
 */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { RunwareServer } from "@runware/sdk-js";
import { isJsonObject, type JsonObject } from "../../local/sandbox/runware/errors.ts";
import {
  type RunwareSandbox,
  type RunwareSandboxOptions,
  startRunwareSandbox,
} from "../../local/sandbox/runware.ts";

const VIDEO = {
  model: "pixverse:1@3",
  positivePrompt: "A smiling sun over green hills",
  duration: 5,
  width: 1280,
  height: 720,
  includeCost: true,
} as const;

/** What the SDK rejects with: a plain object, not an Error. */
async function apiErrorOf(call: Promise<unknown>): Promise<JsonObject> {
  const reason: unknown = await call.then(() => undefined, (reason) => reason);
  const error = isJsonObject(reason) ? reason["error"] : undefined;
  if (isJsonObject(error)) return error;
  throw new Error(`The SDK was to be refused by the API, but it met ${JSON.stringify(reason)}`);
}

async function withSdk(
  options: RunwareSandboxOptions,
  use: (sdk: RunwareServer, sandbox: RunwareSandbox) => Promise<void>,
): Promise<void> {
  const sandbox = await startRunwareSandbox(options);
  const sdk = new RunwareServer({
    apiKey: sandbox.apiKey,
    url: sandbox.wsUrl,
    shouldReconnect: false,
    globalMaxRetries: 1,
    timeoutDuration: 10_000,
  });
  try {
    await sdk.ensureConnection();
    await use(sdk, sandbox);
  } finally {
    await sdk.disconnect();
    await sandbox.close();
  }
}

Deno.test("sdk-js submits a video with its own taskUUID and reads the acknowledgement", async () => {
  await withSdk({ knobs: { manual: true } }, async (sdk, sandbox) => {
    const taskUUID = crypto.randomUUID();
    const webhookURL = "http://127.0.0.1:9/never";
    const ack = await sdk.videoInference({ ...VIDEO, taskUUID, webhookURL, skipResponse: true });
    assertEquals([ack].flat(), [{ taskType: "videoInference", taskUUID }]);
    assertEquals(sandbox.control.task(taskUUID)?.webhookURL, webhookURL);
    assertEquals(sandbox.control.state().counts.tasksAccepted, 1);
  });
});

Deno.test("sdk-js waits for a video to the end and its file can be fetched", async () => {
  await withSdk({ knobs: { renderMs: 0 } }, async (sdk) => {
    const taskUUID = crypto.randomUUID();
    const [video] = [await sdk.videoInference({ ...VIDEO, taskUUID })].flat();
    assertEquals(video?.status, "success");
    assertEquals(video?.taskUUID, taskUUID);
    assertEquals(video?.cost, 0.1495);
    assertMatch(video?.videoURL ?? "", /^http:\/\/127\.0\.0\.1:\d+\/media\/[0-9a-f-]{36}\.mp4$/);
    const file = await fetch(video?.videoURL ?? "");
    assertEquals(file.headers.get("content-type"), "video/mp4");
    assertEquals(new TextDecoder().decode((await file.bytes()).subarray(4, 8)), "ftyp");
  });
});

Deno.test("sdk-js meets conflictTaskUUID when it submits a taskUUID again", async () => {
  await withSdk({ knobs: { manual: true } }, async (sdk, sandbox) => {
    const taskUUID = crypto.randomUUID();
    await sdk.videoInference({ ...VIDEO, taskUUID, skipResponse: true });
    const error = await apiErrorOf(sdk.videoInference({ ...VIDEO, taskUUID, skipResponse: true }));
    assertEquals(error["code"], "conflictTaskUUID");
    assertEquals(error["taskUUID"], taskUUID);
    assertEquals(sandbox.control.state().counts.tasksAccepted, 1);
  });
});

Deno.test("sdk-js is told the durations a model has", async () => {
  await withSdk({}, async (sdk) => {
    const error = await apiErrorOf(
      sdk.videoInference({ ...VIDEO, duration: 7, taskUUID: crypto.randomUUID() }),
    );
    assertEquals(error["code"], "unsupportedDuration");
    assertEquals(error["parameter"], "duration");
    assertEquals(error["allowedValues"], [5, 8]);
  });
});

Deno.test("F32 sdk-js is refused a taskUUID that is not a UUID v4", async () => {
  await withSdk({}, async (sdk, sandbox) => {
    const taskUUID = "0191e3a0-1111-7111-8111-111111111111";
    const error = await apiErrorOf(sdk.videoInference({ ...VIDEO, taskUUID }));
    assertEquals(error["code"], "invalidTaskUUID");
    assertEquals(sandbox.control.state().counts.tasksAccepted, 0);
  });
});

Deno.test("sdk-js polls a task from processing to success", async () => {
  await withSdk({ knobs: { manual: true } }, async (sdk, sandbox) => {
    const taskUUID = crypto.randomUUID();
    await sdk.videoInference({ ...VIDEO, taskUUID, skipResponse: true });
    const [before] = await sdk.getResponse<{ status: string }>({ taskUUID });
    assertEquals(before?.status, "processing");
    sandbox.control.finish(taskUUID);
    const [after] = await sdk.getResponse<{ status: string; videoURL: string }>({ taskUUID });
    assertEquals(after?.status, "success");
    assertEquals(after?.videoURL, sandbox.control.task(taskUUID)?.videoURLs[0]);
  });
});

Deno.test("sdk-js rejects when the render has failed", async () => {
  await withSdk({ knobs: { manual: true } }, async (sdk, sandbox) => {
    const taskUUID = crypto.randomUUID();
    await sdk.videoInference({ ...VIDEO, taskUUID, skipResponse: true });
    sandbox.control.fail(taskUUID, "timeoutProvider", "The provider took too long.");
    const error = await apiErrorOf(sdk.getResponse({ taskUUID }));
    assertEquals(error["code"], "timeoutProvider");
    assertEquals(error["status"], "error");
  });
});

Deno.test("sdk-js is refused with a wrong API key at once", async () => {
  const sandbox = await startRunwareSandbox();
  const sdk = new RunwareServer({ apiKey: "wrong", url: sandbox.wsUrl, shouldReconnect: false });
  try {
    assertEquals((await apiErrorOf(sdk.ensureConnection()))["code"], "invalidApiKey");
  } finally {
    await sdk.disconnect();
    await sandbox.close();
  }
});

Deno.test("twenty clients of sdk-js that start at once all connect", async () => {
  const start = () => withSdk({}, () => Promise.resolve());
  await Promise.all(Array.from({ length: 20 }, start));
});

Deno.test("a sandbox that was closed refuses connections", async () => {
  const sandbox = await startRunwareSandbox();
  await sandbox.close();
  await assertRejects(() => fetch(sandbox.url), TypeError);
});
