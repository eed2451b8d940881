import type { JsonObject } from "./errors.ts";
import type { KnobStore } from "./knob_store.ts";
import type { RenderTask } from "./task.ts";

const ORGANIZATION = "5a0db0c5-0000-4000-8000-000000000000";

/** The account that pays: only videos that were made are billed. */
export class Account {
  readonly #knobs: KnobStore;
  #spentUsd = 0;
  #videos = 0;

  constructor(knobs: KnobStore) {
    this.#knobs = knobs;
  }

  /** What is left, in USD. */
  get balanceUsd(): number {
    return toPrice(this.#knobs.values.balanceUsd - this.#spentUsd);
  }

  bill(task: RenderTask, videos: number): void {
    this.#spentUsd += task.order.usd * videos;
    this.#videos += videos;
  }

  /** Whether the account can pay for `usd` more. */
  canPay(usd: number): boolean {
    return this.balanceUsd >= usd;
  }

  clear(): void {
    this.#spentUsd = 0;
    this.#videos = 0;
  }

  /** The answer to `accountManagement` `getDetails`. */
  details(taskUUID: string): JsonObject {
    const used = { credits: toPrice(this.#spentUsd), requests: this.#videos };
    const amount = this.balanceUsd;
    return {
      taskType: "accountManagement",
      taskUUID,
      operation: "getDetails",
      organizationUUID: ORGANIZATION,
      organizationName: "Runware sandbox",
      balance: this.#knobs.values.balanceForm === "number"
        ? amount
        : { amount, freeBalance: 0, currency: "USD" },
      team: [],
      apiKeys: [],
      usage: { total: used, today: used, last7Days: used, last30Days: used },
    };
  }
}

/** Whole ten-thousandths of a dollar, as prices have them. */
function toPrice(usd: number): number {
  return Math.round(usd * 10_000) / 10_000;
}
