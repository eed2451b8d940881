import { createHmac } from "node:crypto";
import type { SandboxClock } from "../clock.ts";
import { Lanes } from "../lanes.ts";
import type { KieKnobStore } from "./knobs.ts";

/** Callbacks that are sent at one time; the others wait. */
const PARALLEL = 64;

/** What has become of callbacks since the start or the last reset. */
export interface CallbackCounts {
  /** Tries. */
  callbacksSent: number;
  /** Tries that were answered with 200. */
  callbacksDelivered: number;
  /** Callbacks lost by a knob, or given up after their last try. */
  callbacksDropped: number;
  /** Callbacks that are being sent, or will be tried again. */
  callbacksPending: number;
}

/** Posts to callback URLs, and tries three more times where nobody takes it. */
export class Callbacks {
  readonly #clock: SandboxClock;
  readonly #knobs: KieKnobStore;
  readonly #counts: CallbackCounts;
  readonly #onChange: () => void;
  readonly #lanes = new Lanes(PARALLEL);
  readonly #aborts = new Set<AbortController>();
  /** Grows with each `clear`: calls that began before it must not count after it. */
  #age = 0;
  #stopped = false;

  constructor({ clock, knobs, counts, onChange }: {
    readonly clock: SandboxClock;
    readonly knobs: KieKnobStore;
    readonly counts: CallbackCounts;
    /** Told after each change of the counts. */
    readonly onChange: () => void;
  }) {
    this.#clock = clock;
    this.#knobs = knobs;
    this.#counts = counts;
    this.#onChange = onChange;
  }

  /** Posts `body` about a task; resolves when it was tried once. */
  async send(url: string, taskId: string, body: unknown, attempt = 1): Promise<void> {
    if (this.#stopped) return;
    const age = this.#age;
    if (attempt === 1) this.#counts.callbacksPending++;
    const delivered = await this.#lanes.run(() => this.#post(url, taskId, body));
    if (age !== this.#age) return;
    const isLast = attempt >= this.#knobs.values.callbackTries;
    if (delivered) this.#counts.callbacksDelivered++;
    else if (isLast) this.#counts.callbacksDropped++;
    if (delivered || isLast) this.#counts.callbacksPending--;
    else {
      this.#clock.after(
        this.#knobs.values.callbackPauseMs,
        () => void this.send(url, taskId, body, attempt + 1),
      );
    }
    this.#onChange();
  }

  /** Counts a callback that is never sent. */
  drop(): void {
    this.#counts.callbacksDropped++;
    this.#onChange();
  }

  /** Ends every call that is under way. */
  clear(): void {
    this.#age++;
    for (const abort of this.#aborts) abort.abort();
    this.#aborts.clear();
  }

  /** As `clear`, and nothing is sent any more. */
  stop(): void {
    this.clear();
    this.#stopped = true;
  }

  /** Whether the receiver answered 200 in time. */
  async #post(url: string, taskId: string, body: unknown): Promise<boolean> {
    const abort = new AbortController();
    this.#aborts.add(abort);
    const timer = setTimeout(() => abort.abort(), this.#knobs.values.callbackTimeoutMs);
    this.#counts.callbacksSent++;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...this.#signature(taskId) },
        body: JSON.stringify(body),
        redirect: "manual",
        signal: abort.signal,
      });
      await response.body?.cancel();
      return response.status === 200;
    } catch {
      // Whatever went wrong on the way: the receiver did not get it, so it is tried again.
      return false;
    } finally {
      clearTimeout(timer);
      this.#aborts.delete(abort);
    }
  }

  /** Only once a key was made in the console, and over the id and the time alone. */
  #signature(taskId: string): Record<string, string> {
    const { callbackKey } = this.#knobs.values;
    if (callbackKey === null) return {};
    const timestamp = String(Math.floor(this.#clock.now() / 1_000));
    const mac = createHmac("sha256", callbackKey).update(`${taskId}.${timestamp}`);
    return { "x-webhook-timestamp": timestamp, "x-webhook-signature": mac.digest("base64") };
  }
}
