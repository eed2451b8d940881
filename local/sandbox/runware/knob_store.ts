import { mergeKnobs } from "./knob_schema.ts";
import { DEFAULT_KNOBS, type Knobs, type RequestFault } from "./knobs.ts";
import type { Random } from "../random.ts";

/** The counted form of a knob's value; `never` where the knob is no fault. */
type Counted<K extends keyof Knobs> = Extract<Knobs[K], { readonly next: number }>;
type AnyFaultName = {
  [K in keyof Knobs]: [Counted<K>] extends [never] ? never : K;
}[keyof Knobs];

/** A knob that is a fault of whole requests. */
export type RequestFaultName = {
  [K in AnyFaultName]: "on" extends keyof Counted<K> ? K : never;
}[AnyFaultName];
/** A knob that is a fault of single tasks, webhooks or downloads. */
export type FaultName = Exclude<AnyFaultName, RequestFaultName>;
/** What a request asks for, as far as faults care. */
export type RequestKind = "submit" | "poll" | "other";

/** Faults that hit submits only, unless their `on` says otherwise: they are about the ack. */
const ACK_FAULTS: ReadonlySet<RequestFaultName> = new Set([
  "lostAck",
  "hungAck",
  "lateServerError",
  "emptyAck",
]);

/** The knobs as they are now. Drawing a counted fault uses it up. */
export class KnobStore {
  readonly #atStart: Knobs;
  #values: Knobs;

  /** @throws {KnobError} when `changes` name an unknown knob or a wrong value. */
  constructor(changes: unknown = {}) {
    this.#atStart = mergeKnobs(DEFAULT_KNOBS, changes);
    this.#values = this.#atStart;
  }

  get values(): Knobs {
    return this.#values;
  }

  /** @throws {KnobError} when `changes` name an unknown knob or a wrong value. */
  merge(changes: unknown): Knobs {
    this.#values = mergeKnobs(this.#values, changes);
    return this.#values;
  }

  /** Puts every knob back to where it was at the start. */
  reset(): void {
    this.#values = this.#atStart;
  }

  /** Whether the fault `name` happens this time. */
  draw(name: FaultName, random: Random): boolean {
    return this.#draw(name, this.#values[name], random);
  }

  /** Whether the fault `name` happens to this request. */
  drawFor(kind: RequestKind, name: RequestFaultName, random: Random): boolean {
    const fault = this.#values[name];
    const on = (typeof fault === "object" ? fault.on : undefined) ??
      (ACK_FAULTS.has(name) ? "submit" : "any");
    if (on !== "any" && on !== kind) return false;
    return this.#draw(name, fault, random);
  }

  #draw(name: AnyFaultName, fault: RequestFault, random: Random): boolean {
    if (typeof fault === "number") return happens(fault, random);
    if ("probability" in fault) return happens(fault.probability, random);
    if (fault.next <= 0) return false;
    this.#values = { ...this.#values, [name]: { ...fault, next: fault.next - 1 } };
    return true;
  }
}

/** Certain and impossible faults draw no number, so that they do not shift those of the others. */
function happens(probability: number, random: Random): boolean {
  if (probability <= 0) return false;
  return probability >= 1 || random() < probability;
}
