import { assertEquals } from "@std/assert";
import type { VideoTask } from "../../shared/providers/provider.ts";
import { toVideoInference } from "../../shared/providers/runware/requests.ts";
import { ID_A, videoTask } from "../support/runware_support.ts";

const AVATAR = "https://project.supabase.co/storage/v1/object/public/avatars/mia.png";
const LAST = "https://project.supabase.co/storage/v1/object/public/frames/2.png";

function request(more: Partial<VideoTask> = {}) {
  return toVideoInference(videoTask(ID_A, more));
}

Deno.test("a video from words is asked for with all that Runware needs, and no more", () => {
  assertEquals(
    request({
      negativePrompt: "violence",
      fps: 24,
      seed: 7,
      webhookUrl: "https://project.supabase.co/functions/v1/runware-webhook?job=1&token=t",
    }),
    {
      taskType: "videoInference",
      taskUUID: ID_A,
      model: "pixverse:1@3",
      positivePrompt: "A duck walks into a pond.",
      negativePrompt: "violence",
      duration: 8,
      width: 1920,
      height: 1080,
      fps: 24,
      seed: 7,
      numberResults: 1,
      outputType: "URL",
      outputFormat: "MP4",
      includeCost: true,
      ttl: 86_400,
      safety: { blockContent: true, checkContent: true, mode: "fast" },
      deliveryMethod: "async",
      webhookURL: "https://project.supabase.co/functions/v1/runware-webhook?job=1&token=t",
    },
  );
});

Deno.test("a first frame takes the place of the size", () => {
  const { inputs, width, height } = request({ firstFrame: AVATAR });
  assertEquals(inputs, { frameImages: [{ image: AVATAR, frame: "first" }] });
  assertEquals([width, height], [undefined, undefined]);
});

Deno.test("Kling 2.1 takes a size beside its frames", () => {
  const { model, width, height, inputs } = request({
    model: "kling:2.1-pro",
    firstFrame: AVATAR,
    lastFrame: LAST,
  });
  assertEquals([model, width, height], ["klingai:5@2", 1920, 1080]);
  assertEquals(inputs?.frameImages.map(({ frame }) => frame), ["first", "last"]);
});

Deno.test("Kling 2.5 Turbo Standard is never sent a size", () => {
  const { width, height } = request({ model: "klingai:6@0" });
  assertEquals([width, height], [undefined, undefined]);
});

Deno.test("a negative prompt goes only to models that take one, and never shorter than two characters", () => {
  const sent = (model: string, negativePrompt: string) =>
    request({ model, negativePrompt }).negativePrompt;
  assertEquals(sent("pixverse:1@3", "blood"), "blood");
  assertEquals(sent("pixverse:1@3", ""), undefined);
  assertEquals(sent("pixverse:1@3", "x"), undefined);
  assertEquals(sent("bytedance:2@1", "blood"), undefined);
  assertEquals(sent("google:3@3", "blood"), undefined);
});

Deno.test("frames per second are sent only where a model offers a choice", () => {
  assertEquals(request({ model: "pixverse:1@3", fps: 16 }).fps, 16);
  assertEquals(request({ model: "klingai:5@3", fps: 24 }).fps, undefined);
});

Deno.test("names of our design documents go over the wire as Runware's own", () => {
  const wire = ["pixverse:4.5", "kling:2.1", "seedance:1.0", "veo-3.1", "google:3@3"]
    .map((model) => request({ model }).model);
  assertEquals(wire, ["pixverse:1@3", "klingai:5@1", "bytedance:2@1", "google:3@2", "google:3@3"]);
});

Deno.test("a model we have no table for is sent what every model takes", () => {
  const { model, width, negativePrompt } = request({
    model: "alibaba:wan@2.6",
    negativePrompt: "blood",
  });
  assertEquals([model, width, negativePrompt], ["alibaba:wan@2.6", 1920, undefined]);
});
