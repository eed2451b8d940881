/** Builds the provider's task for one attempt at a video. */
import type { WebhookConfig } from "../config.ts";
import type { StartedSubmission } from "../db/submit_calls.ts";
import { planRhymeVideo } from "../domain/rhyme_video.ts";
import { findModel, type ModelSpec } from "../domain/models.ts";
import { planPromptVideo } from "../domain/prompt_video.ts";
import { webhookUrl } from "../http/webhook_token.ts";
import type { Moderator } from "../moderation/moderator.ts";
import { wordList } from "../moderation/word_list.ts";
import type { ProviderError, VideoTask } from "../providers/provider.ts";
import type { StorageApi } from "../storage/storage_api.ts";
import { avatarLink } from "./avatar_link.ts";
import type { TaskBuilder } from "./submit.ts";

/**
 * Makes the builder for a provider's models and webhook function; children's names are judged by
 * `moderator`.
 */
export function videoTaskBuilder(
  { models, webhook, functionName, storage, moderator = wordList }: {
    models: readonly ModelSpec[];
    webhook: WebhookConfig;
    functionName: string;
    storage: StorageApi;
    moderator?: Moderator;
  },
): TaskBuilder {
  return async (submission) => {
    const avatar = submission.avatar_path === null
      ? { link: undefined }
      : await avatarLink(storage, submission.avatar_path);
    if ("error" in avatar) return avatar.error;
    const plan = planOf(await judged(submission, moderator), models, avatar.link);
    if ("problems" in plan) {
      const [problem] = plan.problems;
      return cannot(
        problem?.message ?? "The rhyme or the model is gone, or the options are none",
        plan.problems,
      );
    }
    const { baseUrl, secrets: [secret] } = webhook;
    const task: VideoTask = {
      id: submission.video_job_id,
      model: plan.spec.id,
      ...plan.request,
      ...(baseUrl === undefined ? {} : {
        webhookUrl: await webhookUrl({
          baseUrl,
          secret,
          functionName,
          jobId: submission.video_job_id,
        }),
      }),
    };
    return task;
  };
}

/**
 * A parent names a child at any time and through no door of ours: the name is judged where it is used.
 * A name that cannot be judged now is left out, too; the video is paid for and is made without it.
 */
async function judged(row: StartedSubmission, moderator: Moderator): Promise<StartedSubmission> {
  if (row.child_name === null) return row;
  const words = { child_name: row.child_name };
  const verdict = await moderator.judge({ kind: row.kind, words })
    .catch(() => ({ field: "child_name" }));
  return verdict === null ? row : { ...row, child_name: null };
}

function planOf(row: StartedSubmission, models: readonly ModelSpec[], avatarUrl?: string) {
  return row.kind === "rhyme" ? planOfRhyme(row, models, avatarUrl) : planOfPrompt(row, models);
}

function planOfPrompt(row: StartedSubmission, models: readonly ModelSpec[]) {
  const spec = findModel(models, row.model);
  const { options } = row;
  if (spec === undefined || row.prompt === null || options === null) return { problems: [] };
  const plan = planPromptVideo(spec, {
    prompt: row.prompt,
    negativePrompt: row.negative_prompt ?? undefined,
    style: options.style,
    strategy: options.prompting_strategy,
    duration: options.duration,
    // As planned at the door; another model may have no such quality, or take both from the picture.
    usual: { aspectRatio: options.aspect_ratio, resolution: options.resolution },
    fps: options.fps,
    seed: options.seed,
    audio: options.audio,
    firstFrame: options.first_frame,
    lastFrame: options.last_frame,
  });
  return "problems" in plan ? plan : { spec, request: plan.request };
}

function planOfRhyme(row: StartedSubmission, models: readonly ModelSpec[], avatarUrl?: string) {
  const { prompt_template, duration_seconds, width, height, options } = row;
  if (
    prompt_template === null || duration_seconds === null || width === null || height === null ||
    options === null
  ) return { problems: [] };
  return planRhymeVideo(
    {
      title: row.title,
      promptTemplate: prompt_template,
      ...(row.negative_prompt === null ? {} : { negativePrompt: row.negative_prompt }),
      ...(row.style === null ? {} : { style: row.style }),
      ...(row.video_template_url === null ? {} : { videoTemplateUrl: row.video_template_url }),
      model: row.model,
      durationSeconds: duration_seconds,
      width,
      height,
    },
    options,
    {
      childName: row.child_name ?? "a happy child",
      avatarUrl,
    },
    models,
  );
}

function cannot(message: string, raw: unknown): ProviderError {
  return { kind: "validation", code: "cannot_be_made", message, raw };
}
