/** Customers who want their videos whatever happens, and remember each refusal. */
import { assert } from "@std/assert";
import { z } from "zod";
import { type Answer, type Customer, newCustomer, queue } from "../../support/app.ts";
import { until } from "../../support/until.ts";
import { INTERNALS } from "../../support/refusals.ts";
import type { OpenStack } from "./open_stack.ts";

/** Gems each begins with. */
export const GEMS = 300;

/** How long an app waits for an answer before it asks again. */
const PATIENCE_MS = 5_000;

/** Everybody's wishes, and what they heard. */
export class Customers {
  /** Answers that were no success. */
  readonly refusals: Answer[] = [];
  /** Calls that were given up without an answer. */
  silences = 0;
  readonly #people: readonly Customer[];

  private constructor(private readonly app: OpenStack, people: readonly Customer[]) {
    this.#people = people;
  }

  /** Signs `count` people up. */
  static async signUp(app: OpenStack, count: number): Promise<Customers> {
    const people = await Promise.all(
      Array.from({ length: count }, () => newCustomer(app, { gems: GEMS })),
    );
    return new Customers(app, people);
  }

  get all(): readonly Customer[] {
    return this.#people;
  }

  /**
   * Each queues `count` videos, one after the other, and asks again under the same key until it is
   * answered with success. Answers the ids.
   */
  async queueEach(count: number): Promise<string[]> {
    const ids = await Promise.all(this.#people.map(async (person) => {
      const own: string[] = [];
      for (let nth = 0; nth < count; nth++) own.push(await this.#insist(person));
      return own;
    }));
    return ids.flat();
  }

  #insist(person: Customer): Promise<string> {
    const key = crypto.randomUUID();
    return until("queue-video succeeds", async () => {
      const answer = await heard(queue(this.app, person, { key }));
      if (answer === undefined) {
        this.silences += 1;
        return undefined;
      }
      if (answer.status === 201) {
        return z.object({ video_id: z.uuid() }).parse(answer.body).video_id;
      }
      this.refusals.push(answer);
      return undefined;
    });
  }
}

/** The answer, or undefined for somebody who has waited long enough and asks again. */
async function heard(call: Promise<Answer>): Promise<Answer | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const enough = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  // Whatever comes later is nobody's concern.
  call.catch(() => {});
  const answer = await Promise.race([call, enough]);
  clearTimeout(timer);
  return answer;
}

/** A refusal in an outage: 5xx, our JSON, and not a word about what is inside. */
export function assertDiscreet({ status, body }: Answer, app: OpenStack): void {
  const text = JSON.stringify(body);
  assert(status >= 500, `${status}: ${text}`);
  assert(Object.keys(body).length > 0, `${status} with an empty body`);
  const { request_id: _, ...words } = body;
  const inside = new RegExp(
    `${INTERNALS.source}|127\\.0\\.0\\.1|localhost|ECONN|socket|${new URL(app.databaseUrl).port}`,
    "i",
  );
  assert(!inside.test(JSON.stringify(words)), `${status} tells too much: ${text}`);
}
