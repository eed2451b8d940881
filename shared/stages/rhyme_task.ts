/** Builds the provider's task for one attempt at a rhyme video. */
import type { WebhookConfig } from "../config.ts";
import type { StartedSubmission } from "../db/worker_calls.ts";
import { planRhymeVideo } from "../domain/rhyme_video.ts";
import type { ModelSpec } from "../domain/models.ts";
import { webhookUrl } from "../http/webhook_token.ts";
import type { ProviderError, VideoTask } from "../providers/provider.ts";
import type { TaskBuilder } from "./submit.ts";

/** Makes the builder for a provider's models and webhook function. */
export function rhymeTaskBuilder(
  { models, webhook, functionName }: {
    models: readonly ModelSpec[];
    webhook: WebhookConfig;
    functionName: string;
  },
): TaskBuilder {
  return async (submission) => {
    const plan = planOf(submission, models);
    if ("problems" in plan) {
      const [problem] = plan.problems;
      return cannot(problem?.message ?? "The rhyme is gone", plan.problems);
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

function planOf(row: StartedSubmission, models: readonly ModelSpec[]) {
  const { prompt_template, duration_seconds, width, height } = row;
  if (prompt_template === null || duration_seconds === null || width === null || height === null) {
    return { problems: [] };
  }
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
    row.options,
    {
      childName: row.child_name ?? "a happy child",
      avatarUrl: row.avatar_url ?? undefined,
    },
    models,
  );
}

function cannot(message: string, raw: unknown): ProviderError {
  return { kind: "validation", code: "cannot_be_made", message, raw };
}
