import type { Answers } from "./answers.ts";
import type { SandboxClock } from "../clock.ts";
import type { Envelope } from "./errors.ts";
import type { KnobStore } from "./knob_store.ts";
import { Lanes } from "../lanes.ts";
import { type Random, randomUuid, seededRandom } from "../random.ts";
import type { SandboxCounts } from "./record.ts";
import { failureError, type RenderResult, type RenderTask } from "./task.ts";

/**
 * Webhooks that are sent at one time; the others wait, so that 10,000 ends make no 10,000 sockets.
 */
const PARALLEL = 64;

interface Parts {
  readonly clock: SandboxClock;
  readonly knobs: KnobStore;
  readonly answers: Answers;
  readonly counts: SandboxCounts;
  readonly seed: string;
  /** Told after each change of the counts. */
  readonly onChange: () => void;
}

/** Rings at the `webhookURL` of tasks that end, as unreliably as the knobs ask for. */
export class Webhooks {
  readonly #parts: Parts;
  readonly #lanes = new Lanes(PARALLEL);
  readonly #aborts = new Set<AbortController>();
  readonly #firstTries = new WeakMap<RenderTask, Promise<void>>();
  readonly #held: (() => void)[] = [];
  #random: Random;
  #pending = 0;
  /** Grows with each `clear`: calls that began before it must not count after it. */
  #age = 0;
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#random = seededRandom(`${parts.seed}/webhooks`);
  }

  /** Webhooks that are being sent, held back, or will be tried again. */
  get pending(): number {
    return this.#pending;
  }

  /** Rings for `results` that have just been finished, or for the failure of the task. */
  announce(task: RenderTask, results: readonly RenderResult[]): void {
    if (task.order.webhookUrl === undefined) return;
    const contents: Envelope[] = task.error
      ? [{ errors: [failureError(task, task.error)] }]
      : results.map((result) => ({ data: [this.#parts.answers.receipt(task, result)] }));
    for (const content of contents) this.#dispatch(task, this.#shape(content));
  }

  /** Tells of a success that is not true: its file is at a place that nobody must fetch from. */
  forge(task: RenderTask): void {
    const videoUUID = randomUuid(this.#random);
    const item = {
      taskType: "videoInference",
      taskUUID: task.taskUUID,
      status: "success",
      videoUUID,
      videoURL: `https://forged.example.net/${videoUUID}.mp4`,
    };
    this.#deliver(task, this.#shape({ data: [item] }));
  }

  /** Sends `body` to the task's webhook URL once, now; resolves when it was tried. */
  send(task: RenderTask, body: unknown): Promise<void> {
    return this.#deliver(task, body);
  }

  /** Resolves when the first try of the task's last webhook is over. */
  async firstTry(task: RenderTask): Promise<void> {
    await this.#firstTries.get(task);
  }

  /** Ends every call that is under way and forgets what was to be sent. */
  clear(): void {
    for (const abort of this.#aborts) abort.abort();
    this.#aborts.clear();
    this.#held.length = 0;
    this.#pending = 0;
    this.#age++;
    this.#random = seededRandom(`${this.#parts.seed}/webhooks`);
  }

  /** As `clear`, and nothing is sent any more. */
  stop(): void {
    this.clear();
    this.#stopped = true;
  }

  #shape(content: Envelope): unknown {
    switch (this.#parts.knobs.values.webhookForm) {
      case "wrapped":
        return content;
      case "flat":
        return content.data?.[0] ?? content.errors?.[0];
      case "mixed":
        return { data: content.data ?? [], errors: content.errors ?? [] };
    }
  }

  #dispatch(task: RenderTask, body: unknown): void {
    const { clock, knobs } = this.#parts;
    const happens = (name: Parameters<KnobStore["draw"]>[0]) => knobs.draw(name, this.#random);
    if (happens("webhookLost")) return this.#drop();
    const copies = happens("webhookDoubled") ? 2 : 1;
    const ring = () => {
      const tries = Array.from({ length: copies }, () => this.#deliver(task, body));
      this.#firstTries.set(task, Promise.all(tries).then(() => {}));
    };
    if (happens("webhookLate")) {
      this.#wait(ring, clock.now() + knobs.values.webhookLateMs);
    } else if (happens("webhookReordered")) {
      this.#hold(ring);
    } else {
      ring();
      this.#releaseHeld(task);
    }
  }

  /** Keeps a webhook back until another one was sent, or for `webhookLateMs` where none comes. */
  #hold(ring: () => void): void {
    const { clock, knobs } = this.#parts;
    const once = this.#wait(ring, clock.now() + knobs.values.webhookLateMs);
    this.#held.push(once);
  }

  #releaseHeld(after: RenderTask): void {
    const held = this.#held.splice(0);
    if (held.length === 0) return;
    void this.firstTry(after).then(() => held.forEach((ring) => ring()));
  }

  /** Makes `ring` happen once: at `dueAt`, or earlier when the returned function is called. */
  #wait(ring: () => void, dueAt: number): () => void {
    this.#pending++;
    let rung = false;
    const once = () => {
      appointment.cancel();
      if (rung) return;
      rung = true;
      this.#pending--;
      ring();
    };
    const appointment = this.#parts.clock.at(dueAt, once);
    return once;
  }

  #drop(): void {
    this.#parts.counts.webhooksDropped++;
    this.#parts.onChange();
  }

  async #deliver(task: RenderTask, body: unknown, attempt = 1): Promise<void> {
    const { counts, onChange } = this.#parts;
    const url = task.order.webhookUrl;
    if (url === undefined || this.#stopped) return;
    const age = this.#age;
    this.#pending++;
    const delivered = await this.#lanes.run(() => age === this.#age && this.#post(url, body));
    if (age !== this.#age) return;
    this.#pending--;
    if (delivered) {
      counts.webhooksDelivered++;
    } else {
      counts.webhooksFailed++;
      this.#tryAgain(task, body, attempt);
    }
    onChange();
  }

  #tryAgain(task: RenderTask, body: unknown, attempt: number): void {
    const { clock, knobs, counts } = this.#parts;
    if (attempt >= knobs.values.webhookTries) {
      counts.webhooksDropped++;
      return;
    }
    const again = () => void this.#deliver(task, body, attempt + 1);
    this.#wait(again, clock.now() + this.#backoff(attempt));
  }

  /** 250 ms, doubled after each try up to 8 s (by default), with jitter. */
  #backoff(attempt: number): number {
    const { webhookBackoffMs, webhookBackoffCapMs } = this.#parts.knobs.values;
    const pause = Math.min(webhookBackoffCapMs, webhookBackoffMs * 2 ** (attempt - 1));
    return pause * (0.75 + this.#random() * 0.5);
  }

  /** Whether the receiver answered 2xx in time. */
  async #post(url: string, body: unknown): Promise<boolean> {
    const abort = new AbortController();
    this.#aborts.add(abort);
    const timer = setTimeout(() => abort.abort(), this.#parts.knobs.values.webhookTimeoutMs);
    this.#parts.counts.webhooksSent++;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        redirect: "manual",
        signal: abort.signal,
      });
      await response.body?.cancel();
      return response.ok;
    } catch {
      // Whatever went wrong on the way: the receiver did not get it, so it is tried again.
      return false;
    } finally {
      clearTimeout(timer);
      this.#aborts.delete(abort);
    }
  }
}
