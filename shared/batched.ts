/** Calls for one item each that share a call for many, where they come in together or while others run. */

/** How items are batched. */
export interface BatchOptions<T, R> {
  /** Makes one call for all of these. Answers in their order. */
  readonly call: (items: readonly T[]) => Promise<readonly R[]>;
  /** Most items of a call. */
  readonly most: number;
  /** Most calls at once, not counting slow ones; items that come in meanwhile wait for the next. */
  readonly callsAtOnce: number;
  /** Milliseconds after which a call is slow and no longer holds up others. A second by default. */
  readonly slowAfter?: number;
  /**
   * True if one bad item may have caused the failure and nothing took effect; each item is then retried
   * alone, one after the other.
   */
  readonly mayBeOneItemsFault: (error: unknown) => boolean;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly answer: PromiseWithResolvers<R>;
}

/**
 * A function for one item that is answered by calls for many. Items of the same turn of the event loop
 * go together, in even parts where several calls may begin. Nothing waits to fill a batch: a lone item
 * is sent at once.
 */
export function batched<T, R>(
  { call, most, callsAtOnce, slowAfter = 1_000, mayBeOneItemsFault }: BatchOptions<T, R>,
): (item: T) => Promise<R> {
  const waiting: Waiting<T, R>[] = [];
  let underWay = 0;
  /** Of those under way, the calls that are about to begin. */
  let beginning = 0;

  async function take(): Promise<readonly Waiting<T, R>[]> {
    beginning += 1;
    await turnOfTheLoop();
    const part = Math.ceil(waiting.length / beginning);
    beginning -= 1;
    return waiting.splice(0, Math.min(part, most));
  }

  async function callFor(some: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const answers = await call(some.map(({ item }) => item));
      some.forEach(({ answer }, at) => {
        const own = answers[at];
        if (own === undefined) answer.reject(new Error("The call has no answer for this"));
        else answer.resolve(own);
      });
    } catch (error) {
      if (some.length === 1 || !mayBeOneItemsFault(error)) {
        for (const { answer } of some) answer.reject(error);
      } else {
        for (const one of some) await callFor([one]);
      }
    }
  }

  async function work(): Promise<void> {
    underWay += 1;
    while (waiting.length > beginning) {
      const some = await take();
      let isOver = false;
      // Not setTimeout, whose first use takes Deno 2.9 four milliseconds of a cold start.
      const slow = AbortSignal.timeout(slowAfter);
      slow.onabort = () => {
        if (isOver) return;
        underWay -= 1;
        if (waiting.length > beginning) void work();
      };
      await callFor(some);
      isOver = true;
      // Its place has been given to others.
      if (slow.aborted) return;
    }
    underWay -= 1;
  }

  return (item) => {
    const answer = Promise.withResolvers<R>();
    waiting.push({ item, answer });
    if (underWay < callsAtOnce && waiting.length > beginning) void work();
    return answer.promise;
  };
}

/** Ends when all that is ready to run has run: a message to oneself, some ten microseconds. */
function turnOfTheLoop(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    port2.close();
    resolve();
  };
  port2.postMessage(null);
  return promise;
}
