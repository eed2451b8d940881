import { z } from "zod";
import type { Listener } from "./access.ts";
import type { Interest } from "./filters.ts";
import type { Broadcast, Frame } from "./protocol.ts";

const flag = z.boolean().catch(false);
const joinSchema = z.object({
  access_token: z.string().nullish().catch(null),
  config: z.object({
    private: flag,
    broadcast: z.object({ ack: flag, self: flag }).catch({ ack: false, self: false }),
    presence: z.object({ enabled: flag }).catch({ enabled: false }),
    postgres_changes: z.array(z.record(z.string(), z.unknown())).catch([]),
  }),
});

/** What a client says when it joins. */
export type Join = z.infer<typeof joinSchema>;

const NO_CONFIG = { config: {} };

/** Reads the payload of phx_join; what is missing or odd counts as not asked for. */
export function parseJoin(payload: unknown): Join {
  const { data } = joinSchema.safeParse(payload);
  return data ?? joinSchema.parse(NO_CONFIG);
}

/** An interest, the tables it names, and the number the client knows it by. */
export interface Subscription {
  readonly id: number;
  readonly interest: Interest;
  readonly entities: readonly number[];
}

/** How a channel speaks to its client. */
export interface Outlet {
  send(frame: Frame): void;
  sendBroadcast(topic: string, broadcast: Broadcast): void;
}

/** A topic that a client has joined, with the rights of the token it showed last. */
export class Channel {
  subscriptions: readonly Subscription[] = [];
  #expiry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    /** With the prefix "realtime:". */
    readonly topic: string,
    readonly joinRef: string | null,
    readonly config: Join["config"],
    public listener: Listener,
    readonly outlet: Outlet,
  ) {}

  /** The topic as policies and SQL know it. */
  get name(): string {
    return this.topic.slice("realtime:".length);
  }

  /** Sends an event of this channel. */
  push(event: string, payload: unknown): void {
    this.outlet.send({ joinRef: this.joinRef, ref: null, topic: this.topic, event, payload });
  }

  /** Sends a broadcast of this topic. */
  broadcast(broadcast: Broadcast): void {
    this.outlet.sendBroadcast(this.topic, broadcast);
  }

  /** Tells the client how one of the server's parts is. */
  report(extension: string, status: "ok" | "error", message: string): void {
    this.push("system", { extension, status, message, channel: this.name });
  }

  /** Runs `expired` when the token's time is over; a later token replaces the time. */
  endsWithToken(expired: () => void): void {
    clearTimeout(this.#expiry);
    const exp = z.number().safeParse(this.listener.claims["exp"]);
    if (!exp.success) return;
    // A timer of more than 2^31 ms would fire at once.
    this.#expiry = setTimeout(expired, Math.min(exp.data * 1000 - Date.now(), 2 ** 31 - 1));
  }

  /** Stops its clock. */
  dispose(): void {
    clearTimeout(this.#expiry);
  }
}
