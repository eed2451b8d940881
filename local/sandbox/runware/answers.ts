import type { SandboxClock } from "../clock.ts";
import type { ApiError, Envelope, JsonObject } from "./errors.ts";
import type { KnobStore } from "./knob_store.ts";
import { failureError, progressOf, type RenderResult, type RenderTask } from "./task.ts";

/** How the API tells about tasks, in the forms that the knobs ask for. */
export class Answers {
  readonly #clock: SandboxClock;
  readonly #knobs: KnobStore;
  /** Base of result URLs, without a slash at its end. */
  readonly #mediaUrl: () => string;

  constructor(clock: SandboxClock, knobs: KnobStore, mediaUrl: () => string) {
    this.#clock = clock;
    this.#knobs = knobs;
    this.#mediaUrl = mediaUrl;
  }

  /** What a poll is told about the task: one item a result, or its failure. */
  state(task: RenderTask): Envelope {
    if (task.error) return this.#failure(task, failureError(task, task.error));
    return {
      data: task.results.map((result) =>
        result.finishedAt === null ? this.#processing(task) : this.receipt(task, result)
      ),
    };
  }

  /** The item of a finished result. */
  receipt(task: RenderTask, result: RenderResult): JsonObject {
    const { receiptForm } = this.#knobs.values;
    const { videoUUID, seed } = result;
    const url = this.url(result);
    return {
      taskType: "videoInference",
      taskUUID: task.taskUUID,
      ...(receiptForm !== "noStatus" && { status: "success" }),
      ...(receiptForm === "media"
        ? { mediaUUID: videoUUID, mediaURL: url }
        : { videoUUID, videoURL: url }),
      seed,
      ...(task.order.includeCost && { cost: task.order.usd }),
      // The file is there all the same.
      ...(task.order.checkContent && isFlagged(task) && { NSFWContent: true }),
    };
  }

  /** Where the file of a result is. */
  url(result: RenderResult): string {
    return `${this.#mediaUrl()}/${result.videoUUID}.mp4`;
  }

  /** What is said about an id that is not known. */
  unknown(taskUUID: string): Envelope {
    switch (this.#knobs.values.unknownId) {
      case "processing":
        return {
          data: [{
            taskType: this.#knobs.values.processingForm,
            taskUUID,
            status: "processing",
          }],
        };
      case "empty":
        return {};
      case "taskNotFound":
        return this.notFound(taskUUID);
    }
  }

  /** The plainest word about an id that is not known. */
  notFound(taskUUID: string): Envelope {
    const message = `There is no task '${taskUUID}'.`;
    return { errors: [{ code: "taskNotFound", message, taskType: "getResponse", taskUUID }] };
  }

  /** Whether polls still know the task. */
  isForgotten(task: RenderTask): boolean {
    const { forgetAfterMs } = this.#knobs.values;
    if (forgetAfterMs === null || task.endedAt === null) return false;
    return this.#clock.now() - task.endedAt >= forgetAfterMs;
  }

  #processing(task: RenderTask): JsonObject {
    const { processingForm, sendProgress } = this.#knobs.values;
    return {
      taskType: processingForm,
      taskUUID: task.taskUUID,
      status: "processing",
      ...(sendProgress && { progress: progressOf(task, this.#clock.now()) }),
    };
  }

  #failure(task: RenderTask, error: ApiError): Envelope {
    const { code, message } = error;
    const item = { taskType: "videoInference", taskUUID: task.taskUUID, status: "error" };
    switch (this.#knobs.values.failureForm) {
      case "errors":
        return { errors: [error] };
      case "item":
        return { data: [{ ...item, error: { code, message } }] };
      case "flatItem":
        return { data: [{ ...item, code, message }] };
    }
  }
}

function isFlagged({ fate }: RenderTask): boolean {
  return fate.kind === "success" && fate.isFlagged === true;
}
