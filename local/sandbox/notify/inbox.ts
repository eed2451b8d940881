/** What arrived, and what somebody would have seen of it. */
import type { Place } from "./faults.ts";

/** A message that was taken. */
export interface Arrival {
  readonly place: Exclude<Place, "token">;
  /** The device's address; of the backend its own. */
  readonly to: string;
  /**
   * Two messages with the same one are one to the receiver: a tag, or the backend's `webhook-id`.
   */
  readonly sameAs: string;
  readonly title: string;
  readonly body: string;
  readonly image: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Keeps everything that was taken. */
export class Inbox {
  /** Each message taken, in order; one that was sent twice is here twice. */
  received: Arrival[] = [];

  /**
   * What a person, or the backend's own code, has seen: of messages that are one to the receiver,
   * the last takes the place of the others.
   */
  shown(): Arrival[] {
    const newest = new Map<string, Arrival>();
    for (const one of this.received) {
      newest.set(JSON.stringify([one.place, one.to, one.sameAs]), one);
    }
    return [...newest.values()];
  }
}
