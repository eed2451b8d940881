/** A provider's sandbox as the suites see it: what was bought there, and the hand on it. */
import type { KieKnobChanges } from "../../../local/sandbox/kie.ts";
import type { KnobChanges } from "../../../local/sandbox/runware.ts";
import type { RunwayKnobChanges } from "../../../local/sandbox/runway.ts";
import type { ProviderName } from "../../../shared/providers/registry.ts";

/** All providers: what the suites keep by this name, the compiler wants for a new one too. */
export type ShopName = ProviderName;

/** Those that make up their own ids, where the prompt tells whose a task is. */
export type OtherShopName = Exclude<ShopName, "runware">;

/** Knobs of any sandbox; one that has no such knob throws. */
export type ShopKnobs = KnobChanges | RunwayKnobChanges | KieKnobChanges;

/** A task that was taken, which is to say bought. */
export interface ShopTask {
  /** The provider's id, which at Runware is ours. */
  readonly id: string;
  /** Words it is made from; empty where the provider knows it by our id. */
  readonly prompt: string;
  readonly status: "processing" | "success" | "error";
}

/** What has happened at the sandbox. */
export interface ShopCounts {
  /** Tasks that were taken. */
  readonly bought: number;
  /** Tasks that were handed over again and recognised; 0 where the ids are not ours. */
  readonly conflicts: number;
  readonly mediaGets: number;
  /** Tries of webhooks, and those that were answered. */
  readonly webhooksSent: number;
  readonly webhooksDelivered: number;
}

/** One provider's sandbox. */
export interface Shop {
  readonly name: ShopName;
  /** Whether a task's id is ours, so that the same one is never sold twice. */
  readonly choosesTaskId: boolean;
  /** Forgets everything; the knobs are as they were at the start. */
  reset(): void;
  configure(knobs: ShopKnobs): void;
  /** The knobs as they are now. */
  config(): Readonly<Record<string, unknown>>;
  tasks(): readonly ShopTask[];
  counts(): ShopCounts;
  /** Ends a task well. */
  finish(id: string): void;
  /** Ends a task badly, with the provider's own code. */
  fail(id: string, code: string): void;
  /** Its link leads nowhere any more. */
  expire(id: string): void;
  /** Moves the sandbox's time forward. */
  advance(ms: number): void;
  /** Resolves when no webhook is on its way. */
  settled(): Promise<void>;
}
