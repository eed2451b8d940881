import { assertEquals, assertRejects } from "@std/assert";
import { sceneRequests } from "../../shared/doors/clip_scenes.ts";
import { generateVideo } from "../../shared/doors/generate_video.ts";
import { schemaChooser } from "../../shared/doors/queue_request.ts";
import { queueVideo } from "../../shared/doors/queue_video.ts";
import { videoStatus } from "../../shared/doors/video_status.ts";
import { readJson } from "../../shared/http/body.ts";
import type { UserVisit } from "../../shared/http/door.ts";
import { type FieldProblem, HttpError } from "../../shared/http/http_error.ts";
import type { Judged, Moderator } from "../../shared/moderation/moderator.ts";
import { runwayModels } from "../../shared/providers/runway/models.ts";

const HOST = "images.example.com";
const post = (body: unknown) =>
  new Request("http://test", { method: "POST", body: JSON.stringify(body) });
const get = (query: string, headers: Record<string, string> = {}) =>
  new Request(`http://test/${query}`, { headers });

/** The status and the problems that this is refused with. */
async function refusal(work: () => Promise<unknown>): Promise<[number, ...FieldProblem[]]> {
  const { status, extra } = await assertRejects(work, HttpError);
  return [status, ...extra.details as FieldProblem[]];
}

const body = schemaChooser({ imageHosts: [HOST] });
const queueRefusal = (value: unknown) => refusal(() => readJson(post(value), body));

Deno.test("what is no object is told so, and a kind that there is not with those that there are", async () => {
  for (const [value, what] of [[[], "an array"], [null, "null"], ["x", '"x"'], [7, "7"]] as const) {
    assertEquals(await queueRefusal(value), [
      400,
      { field: "body", message: `must be an object, not ${what}` },
    ]);
  }
  assertEquals(await queueRefusal({ kind: "song" }), [400, {
    field: "kind",
    message: 'must be "rhyme", "prompt", "image" or "clip", not "song"',
    allowed: ["rhyme", "prompt", "image", "clip"],
  }]);
});

const PICTURES: readonly (readonly [string, string])[] = [
  [`http://${HOST}/1.png`, "must be an https URL of plain ASCII characters"],
  ["1.png", "must be an https URL of plain ASCII characters"],
  [`https://${HOST}\\@evil.example/1.png`, "must be an https URL of plain ASCII characters"],
  ["https://evil.example/1.png", `must be on one of these hosts: ${HOST}`],
  [`https://${HOST}:8443/1.png`, "must have no port, and has 8443"],
  ...["me:secret", "me", ":secret"].map((who): [string, string] => [
    `https://${who}@${HOST}/1.png`,
    "must have no user name and no password",
  ]),
  ...[
    `https://${HOST}/avatars/1.png`,
    `https://${HOST}/storage/v1/object/sign/videos/u/videos/1.png?token=x`,
    `https://${HOST}/storage/v1/object/public/VIDEOS/u/1.png`,
    `https://${HOST}/storage/v1/render/image/sign/videos/u/1.png`,
  ].map((link): [string, string] => [
    link,
    'must not lead into "avatars" or "videos" of Storage, where children\'s pictures are',
  ]),
];

Deno.test("what is wrong with a picture's link is told", async () => {
  for (const [first_frame, message] of PICTURES) {
    assertEquals(
      await queueRefusal({ kind: "image", prompt: "A fox", first_frame }),
      [400, { field: "first_frame", message }],
      first_frame,
    );
  }
});

const judge: Moderator = { judge: () => Promise.resolve(null) };
const visit = {
  userId: crypto.randomUUID(),
  admin: () => ({ rpc: () => Promise.resolve({ data: [], error: null }) }),
} as unknown as UserVisit;

Deno.test("what is wrong with a picture's link is told of a scene, too", async () => {
  const config = { imageHosts: [HOST], moderator: judge, makers: [] };
  for (const [first_frame, message] of PICTURES) {
    const frames = { "1": { first_frame, last_frame: `https://${HOST}/1.png` } };
    assertEquals(
      await refusal(() => sceneRequests({ title: "The fox", frames }, {}, visit.admin(), config)),
      [422, { field: "frames.1.first_frame", message }],
      first_frame,
    );
  }
});

/** A judge that refuses everything, and keeps what it was asked. */
function strictJudge() {
  const asked: Judged[] = [];
  const moderator: Moderator = {
    judge(judged) {
      asked.push(judged);
      return Promise.resolve({ field: "prompt" });
    },
  };
  return { asked, moderator };
}

/** What a refused judgement comes to. */
const NOT_FOR_CHILDREN = [422, { field: "prompt", message: "is not for small children" }] as const;

Deno.test("the judge is told all that queue-video is asked to make: words, what to leave out, frames", async () => {
  const { asked, moderator } = strictJudge();
  const config = {
    projectUrl: "https://ref.supabase.co",
    body,
    makers: () => Promise.resolve([]),
    modelsOf: () => Promise.resolve([]),
    moderator: () => Promise.resolve(moderator),
    placeOrder: () => Promise.reject(new Error("Nothing is to be ordered")),
  };
  const words = { title: "The fox", prompt: "A fox paints", style: "watercolour" };
  const asks = { ...words, negative_prompt: "rain" };
  const [first_frame, last_frame] = [`https://${HOST}/1.png`, `https://${HOST}/2.png`];
  const bodies = [
    { kind: "prompt", ...asks },
    { kind: "image", ...asks, first_frame },
    { kind: "clip", ...asks, first_frame, last_frame },
  ];
  for (const one of bodies) {
    assertEquals(await refusal(() => queueVideo(post(one), visit, config)), [...NOT_FOR_CHILDREN]);
  }
  assertEquals(asked, [
    { kind: "prompt", words, negativePrompt: "rain", frames: {} },
    {
      kind: "image",
      words,
      negativePrompt: "rain",
      frames: { first_frame, last_frame: undefined },
    },
    { kind: "clip", words, negativePrompt: "rain", frames: { first_frame, last_frame } },
  ]);
});

Deno.test("the judge is told the style of generate-video, by the name it has there", async () => {
  const { asked, moderator } = strictJudge();
  const makers = [{ name: "runway", models: runwayModels }];
  const placeOrder = () => Promise.reject(new Error("Nothing is to be ordered"));
  const wish = { prompt: "A fox paints", config: { style: "watercolour" } };
  const config = { makers, moderator, placeOrder };
  assertEquals(await refusal(() => generateVideo(post(wish), visit, config)), [
    ...NOT_FOR_CHILDREN,
  ]);
  assertEquals(asked, [
    { kind: "prompt", words: { prompt: "A fox paints", "config.style": "watercolour" } },
  ]);
});

Deno.test("the judge is told title, words and frames of all scenes of a project at once", async () => {
  const { asked, moderator } = strictJudge();
  const config = { imageHosts: [HOST], moderator, makers: [] };
  const [first, last] = [`https://${HOST}/1.png`, `https://${HOST}/2.png`];
  const pictures = { first_frame: first, last_frame: last };
  const frames = { "2": { ...pictures, prompt: "It sleeps" }, "1": pictures };
  assertEquals(
    await refusal(() => sceneRequests({ title: "The fox", frames }, {}, visit.admin(), config)),
    [...NOT_FOR_CHILDREN],
  );
  assertEquals(asked, [{
    kind: "clip",
    words: { title: "The fox", "frames.1.prompt": undefined, "frames.2.prompt": "It sleeps" },
    frames: {
      "frames.1.first_frame": first,
      "frames.1.last_frame": last,
      "frames.2.first_frame": first,
      "frames.2.last_frame": last,
    },
  }]);
});

Deno.test("an unknown field of a scene is told as one of a scene", async () => {
  const frame = `https://${HOST}/1.png`;
  const frames = { "1": { first_frame: frame, last_frame: frame, foo: 1 } };
  const config = { imageHosts: [HOST], moderator: judge, makers: [] };
  assertEquals(
    await refusal(() => sceneRequests({ title: "The fox", frames }, {}, visit.admin(), config)),
    [422, { field: "frames.1.foo", message: "is not a field of a scene" }],
  );
});

Deno.test("generate-video tells of nothing that its request does not have, and of no codec that is refused then", async () => {
  const makers = [{ name: "runway", models: runwayModels }];
  const placeOrder = () => Promise.reject(new Error("Nothing is to be ordered"));
  const create = (config: object) =>
    refusal(() =>
      generateVideo(post({ prompt: "A fox", config }), visit, {
        makers,
        moderator: judge,
        placeOrder,
      })
    );
  const unsold = { field: "config", message: "No model of Runway that is sold can make this" };
  assertEquals(await create({}), [422, unsold]);
  assertEquals(await create({ duration: 30 }), [422, unsold]);
  for (const codec of ["h265", "foo"]) {
    assertEquals(await create({ codec }), [
      422,
      { field: "config.codec", message: `Runway makes "h264", not "${codec}"`, allowed: ["h264"] },
      unsold,
    ]);
  }
});

const tools = {
  watcher: { size: 0, watch: () => () => {} },
  isolateEnd: new AbortController().signal,
};
const statusRefusal = (query: string, headers: Record<string, string> = {}) =>
  refusal(() => videoStatus(get(query, headers), visit, tools));

Deno.test("a name in a query that the function does not know is refused with those that it does", async () => {
  assertEquals(await statusRefusal("?videoId=1&video_id=x"), [400, {
    field: "videoId",
    message: 'is not a parameter of this function, which takes "video_id", "rev" or "wait"',
  }]);
  const config = { makers: [], moderator: judge, placeOrder: () => Promise.reject() };
  assertEquals(await refusal(() => generateVideo(get("?task_id=1"), visit, config)), [400, {
    field: "task_id",
    message: 'is not a parameter of this function, which takes "taskId"',
  }]);
  // What supabase-js and the platform add is none of the door's.
  const answer = await videoStatus(get("?forceFunctionRegion=eu-west-1"), visit, tools);
  assertEquals(answer.status, 200);
});

Deno.test("what was seen is told to be wrong by the name that it came under", async () => {
  const id = crypto.randomUUID();
  const stream = { accept: "text/event-stream" };
  assertEquals(await statusRefusal(`?video_id=${id}`, { ...stream, "last-event-id": "x" }), [400, {
    field: "Last-Event-ID",
    message: "must be revs (whole numbers), comma separated",
  }]);
  assertEquals(
    await statusRefusal(`?video_id=${id}`, { ...stream, "last-event-id": "1,2" }),
    [400, { field: "Last-Event-ID", message: "must hold a rev for each video_id: 1, not 2" }],
  );
  assertEquals(await statusRefusal("?rev=1"), [
    400,
    { field: "rev", message: "goes together with video_id, and there is none" },
  ]);
});
