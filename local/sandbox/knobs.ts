/** Faults of a sandbox, and the knobs that turn them on: what the sandboxes of Runway and KIE share. */
import { z } from "zod";
import { KnobError } from "./knob_error.ts";
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
], 'expected a probability from 0 to 1, {"probability": 0.5} or {"next": 2}');

const on = z.enum(["submit", "poll", "any"]).optional();
/** The same of whole requests, which `on` keeps to one kind of them. */
export const requestFault = z.union(
  [
    probability,
    z.strictObject({ probability, on }),
    z.strictObject({ next: count, on }),
  ],
  'expected a probability from 0 to 1, {"probability": 0.5} or {"next": 2}, with "on": "submit", "poll" or "any"',
);

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

/** What the knobs of a sandbox may be, by name. */
type KnobSchema<Knobs> = z.ZodType<Knobs> & { readonly shape: object };

/** The knobs as they are now. Drawing a counted fault uses it up. */
export class KnobStore<Knobs extends object> {
  readonly #schema: KnobSchema<Knobs>;
  readonly #late: ReadonlySet<keyof Knobs>;
  readonly #atStart: Knobs;
  #values: Knobs;

  /**
   * `late` are the faults that strike after a request was carried out: those of submits only, unless
   * their `on` says otherwise. Throws a KnobError.
   */
  constructor(
    schema: KnobSchema<Knobs>,
    { late, changes }: {
      readonly late: readonly RequestFaultName<Knobs>[];
      readonly changes: unknown;
    },
  ) {
    this.#schema = schema;
    this.#late = new Set<keyof Knobs>(late);
    this.#atStart = this.#parse(changes);
    this.#values = this.#atStart;
  }

  get values(): Knobs {
    return this.#values;
  }

  /** Turns some knobs and leaves the others. Throws a KnobError. */
  merge(changes: Readonly<Record<string, unknown>>): Knobs {
    this.#values = this.#parse({ ...this.#values, ...changes });
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

  /** Throws a KnobError that names the first knob that is unknown or has a wrong value. */
  #parse(knobs: unknown): Knobs {
    const parsed = this.#schema.safeParse(knobs);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const names = Object.keys(this.#schema.shape);
    if (issue?.code === "unrecognized_keys" && issue.path.length === 0) {
      const [field = ""] = issue.keys;
      throw new KnobError(`There is no knob "${field}"`, field, names);
    }
    const field = String(issue?.path[0] ?? "");
    const value = JSON.stringify(new Map(Object.entries(knobs ?? {})).get(field));
    // Without "Invalid input: " and the like.
    const expected = issue?.message.replace(/^[A-Z][a-z ]+: /, "") ?? "";
    throw new KnobError(`Knob "${field}" cannot be ${value}: ${expected}`, field, [expected]);
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
