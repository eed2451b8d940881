/** Faults of a sandbox, and the knobs that turn them on: what the sandboxes of Runway and KIE share. */
import { z } from "zod";
import type { Random } from "./random.ts";

/** What a request asks for, as far as faults care. */
export type RequestKind = "submit" | "poll" | "other";

const probability = z.number().min(0).max(1);
/** How many, or how many milliseconds. */
export const count = z.number().int().min(0);

/** How often something happens: a probability, or `{next: 2}` for the next two and then no more. */
export const fault = z.union([
  probability,
  z.strictObject({ probability }),
  z.strictObject({ next: count }),
]);

const on = z.enum(["submit", "poll", "any"]).optional();
/** The same of whole requests, which `on` keeps to one kind of them. */
export const requestFault = z.union([
  probability,
  z.strictObject({ probability, on }),
  z.strictObject({ next: count, on }),
]);

type Fault = z.output<typeof fault>;
type RequestFault = z.output<typeof requestFault>;

/** The counted form of a knob's value; `never` where the knob is no fault. */
type Counted<Value> = Extract<Value, { readonly next: number }>;
type AnyFaultName<Knobs> = {
  [K in keyof Knobs]: [Counted<Knobs[K]>] extends [never] ? never : K;
}[keyof Knobs];
/** A knob that is a fault of whole requests: one that `on` can be said of. */
export type RequestFaultName<Knobs> = {
  [K in AnyFaultName<Knobs>]: "on" extends keyof Counted<Knobs[K]> ? K : never;
}[AnyFaultName<Knobs>];
/** A knob that is a fault of a single task, callback or download. */
type SingleFaultName<Knobs> = Exclude<AnyFaultName<Knobs>, RequestFaultName<Knobs>>;

/** The knobs as they are now. Drawing a counted fault uses it up. */
export class KnobStore<Knobs extends object> {
  readonly #schema: z.ZodType<Knobs>;
  readonly #late: ReadonlySet<keyof Knobs>;
  readonly #atStart: Knobs;
  #values: Knobs;

  /**
   * `late` are the faults that strike after a request was carried out: those of submits only, unless
   * their `on` says otherwise. Throws a ZodError that names a knob that is unknown or has a wrong value.
   */
  constructor(
    schema: z.ZodType<Knobs>,
    { late, changes }: {
      readonly late: readonly RequestFaultName<Knobs>[];
      readonly changes: unknown;
    },
  ) {
    this.#schema = schema;
    this.#late = new Set<keyof Knobs>(late);
    this.#atStart = schema.parse(changes);
    this.#values = this.#atStart;
  }

  get values(): Knobs {
    return this.#values;
  }

  /** Turns some knobs and leaves the others. Throws a ZodError. */
  merge(changes: unknown): Knobs {
    const turned = z.record(z.string(), z.unknown()).parse(changes);
    this.#values = this.#schema.parse({ ...this.#values, ...turned });
    return this.#values;
  }

  /** Puts every knob back to where it was at the start. */
  reset(): void {
    this.#values = this.#atStart;
  }

  /** Whether the fault of a single task, callback or download happens this time. */
  draw(name: SingleFaultName<Knobs>, random: Random): boolean {
    return this.#draw(name, this.#values[name] as Fault, random);
  }

  /** Whether the fault happens to this request. */
  drawFor(kind: RequestKind, name: RequestFaultName<Knobs>, random: Random): boolean {
    const value = this.#values[name] as RequestFault;
    const scope = (typeof value === "object" ? value.on : undefined) ??
      (this.#late.has(name) ? "submit" : "any");
    return (scope === "any" || scope === kind) && this.#draw(name, value, random);
  }

  #draw(name: keyof Knobs, value: Fault | RequestFault, random: Random): boolean {
    if (typeof value === "object" && "next" in value) {
      if (value.next === 0) return false;
      this.#values = { ...this.#values, [name]: { ...value, next: value.next - 1 } };
      return true;
    }
    const chance = typeof value === "number" ? value : value.probability;
    // Certain and impossible faults draw no number, so that they do not shift those of the others.
    return chance >= 1 || (chance > 0 && random() < chance);
  }
}
