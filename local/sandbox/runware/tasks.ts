import type { Appointment, SandboxClock } from "../clock.ts";
import type { JsonObject } from "./errors.ts";
import { randomUuid, seededRandom } from "../random.ts";
import type { Failure, Fate, RenderResult, RenderTask } from "./task.ts";
import type { Order } from "./validate.ts";

/** What is told when a task moves: `results` have just been finished, none when it failed. */
export type OnProgress = (task: RenderTask, results: readonly RenderResult[]) => void;

/** What the task store needs to take a task. */
export interface NewTask {
  readonly taskUUID: string;
  readonly request: JsonObject;
  readonly order: Order;
  readonly renderMs: number;
  readonly fate: Fate;
  /** True: the task ends only through `finish` and `fail`. */
  readonly manual: boolean;
}

/** Every task that was accepted, forever: an id that was used once can never be used again. */
export class TaskStore {
  readonly #clock: SandboxClock;
  readonly #seed: string;
  readonly #tasks = new Map<string, RenderTask>();
  readonly #byVideo = new Map<string, RenderTask>();
  readonly #appointments = new WeakMap<RenderTask, Appointment>();
  #onProgress: OnProgress = () => {};

  constructor(clock: SandboxClock, seed: string) {
    this.#clock = clock;
    this.#seed = seed;
  }

  /** Who is told when results are finished and when a task fails. */
  listen(onProgress: OnProgress): void {
    this.#onProgress = onProgress;
  }

  get(taskUUID: string): RenderTask | undefined {
    return this.#tasks.get(taskUUID);
  }

  all(): Iterable<RenderTask> {
    return this.#tasks.values();
  }

  /** The finished result with this id and its task. */
  video(videoUUID: string): { task: RenderTask; result: RenderResult } | undefined {
    const task = this.#byVideo.get(videoUUID);
    const result = task?.results.find((one) => one.videoUUID === videoUUID);
    return task && result && result.finishedAt !== null ? { task, result } : undefined;
  }

  /** Takes a task and starts its render. */
  add({ taskUUID, request, order, renderMs, fate, manual }: NewTask): RenderTask {
    const random = seededRandom(`${this.#seed}/videos/${taskUUID}`);
    const task: RenderTask = {
      taskUUID,
      request,
      order,
      submittedAt: this.#clock.now(),
      renderMs,
      fate,
      results: Array.from({ length: order.numberResults }, () => ({
        videoUUID: randomUuid(random),
        seed: order.seed ?? 1 + Math.floor(random() * 2 ** 31),
        finishedAt: null,
        expired: false,
      })),
      status: "processing",
      endedAt: null,
      error: null,
      submissions: 1,
      lastAnswer: { data: [{ taskType: "videoInference", taskUUID }] },
    };
    this.#tasks.set(taskUUID, task);
    for (const { videoUUID } of task.results) this.#byVideo.set(videoUUID, task);
    if (!manual) this.#schedule(task);
    return task;
  }

  /** Ends a task well, now or at `at`. Does nothing when it has ended. */
  finish(task: RenderTask, at = this.#clock.now()): void {
    if (task.status !== "processing") return;
    const open = task.results.filter((result) => result.finishedAt === null);
    for (const result of open) result.finishedAt = at;
    this.#end(task, "success", at);
    this.#onProgress(task, open);
  }

  /** Ends a task badly, now or at `at`. Does nothing when it has ended. */
  fail(task: RenderTask, error: Failure, at = this.#clock.now()): void {
    if (task.status !== "processing") return;
    task.error = error;
    this.#end(task, "error", at);
    this.#onProgress(task, []);
  }

  /** Forgets everything, the used ids too. */
  clear(): void {
    this.#tasks.clear();
    this.#byVideo.clear();
  }

  #end(task: RenderTask, status: "success" | "error", at: number): void {
    task.status = status;
    task.endedAt = at;
    this.#appointments.get(task)?.cancel();
  }

  /** Failures come at the end; several results are finished one after another. */
  #schedule(task: RenderTask): void {
    if (task.fate.kind === "stuck") return;
    const finished = task.results.filter((result) => result.finishedAt !== null).length;
    const steps = task.fate.kind === "failure" ? 1 : task.results.length;
    const dueAt = task.submittedAt + task.renderMs * ((finished + 1) / steps);
    this.#appointments.set(task, this.#clock.at(dueAt, () => this.#step(task, dueAt)));
  }

  #step(task: RenderTask, at: number): void {
    if (task.fate.kind === "failure") return this.fail(task, task.fate.error, at);
    const open = task.results.filter((result) => result.finishedAt === null);
    const [next] = open;
    if (!next || open.length === 1) return this.finish(task, at);
    next.finishedAt = at;
    this.#onProgress(task, [next]);
    this.#schedule(task);
  }
}
