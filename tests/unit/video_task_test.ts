import { assert, assertEquals } from "@std/assert";
import type { StartedSubmission } from "../../shared/db/submit_calls.ts";
import { modelsOf } from "../../shared/providers/registry.ts";
import type { Judged, Moderator } from "../../shared/moderation/moderator.ts";
import { videoTaskBuilder } from "../../shared/stages/video_task.ts";
import type { StorageApi } from "../../shared/storage/storage_api.ts";

const noStorage: StorageApi = {
  remove: () => Promise.reject(new Error("Nothing is removed here")),
  signedUrl: () => Promise.reject(new Error("Nothing is signed here")),
};

const tools = {
  models: await modelsOf("runware"),
  webhook: { secrets: ["s".repeat(32)] },
  functionName: "runware-webhook",
  storage: noStorage,
} as const;

const twinkle: StartedSubmission = {
  ...{ video_job_id: crypto.randomUUID(), started: true, attempt: 1, repeated: false },
  ...{ provider: "runware", model: "pixverse:1@5", kind: "rhyme", prompt: null, options: {} },
  ...{ avatar_path: null, child_name: "Mia", title: "Twinkle", negative_prompt: null },
  ...{ prompt_template: "{child} waves at a star.", style: null, video_template_url: null },
  ...{ duration_seconds: 8, width: 1920, height: 1080, lease_seconds: 45 },
};

async function promptFor(childName: string, moderator?: Moderator): Promise<string> {
  const buildTask = videoTaskBuilder({
    ...tools,
    ...(moderator === undefined ? {} : { moderator }),
  });
  const task = await buildTask({ ...twinkle, child_name: childName });
  if ("kind" in task) throw new Error(task.message);
  return task.prompt;
}

Deno.test("a child's name is in the prompt; words in its place that are not for children are not", async () => {
  assert((await promptFor("Mia")).startsWith("Mia waves"));
  for (const name of ["Mia, naked and bloody", "a Nazi", "H1tler"]) {
    const prompt = await promptFor(name);
    assert(prompt.startsWith("a happy child waves"), prompt);
  }
});

Deno.test("a child's name goes before the judge of this deployment, and one that nobody can judge is not told", async () => {
  const asked: Judged[] = [];
  const strict: Moderator = {
    judge(judged) {
      asked.push(judged);
      return Promise.resolve(judged.words["child_name"] === "Max" ? { field: "child_name" } : null);
    },
  };
  assert((await promptFor("Mia", strict)).startsWith("Mia waves"));
  assertEquals(asked, [{ kind: "rhyme", words: { child_name: "Mia" } }]);
  assert((await promptFor("Max", strict)).startsWith("a happy child waves"));
  const away: Moderator = { judge: () => Promise.reject(new Error("away")) };
  assert((await promptFor("Mia", away)).startsWith("a happy child waves"));
});
