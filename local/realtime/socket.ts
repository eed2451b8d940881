import { z } from "zod";
import { InvalidTokenError, type Tokens } from "../tokens.ts";
import type { Access, Listener } from "./access.ts";
import { Channel, parseJoin, type Subscription } from "./channel.ts";
import type { Feed } from "./feed.ts";
import { InterestError, parseInterest } from "./filters.ts";
import type { Hub } from "./hub.ts";
import {
  type Broadcast,
  decodeFrame,
  encodeBroadcast,
  encodeFrame,
  type Frame,
  type Version,
} from "./protocol.ts";

/** What a socket works with. */
export interface SocketContext {
  readonly access: Access;
  readonly feed: Feed;
  readonly hub: Hub;
  readonly tokens: Tokens;
  /** The oid of realtime.messages. */
  readonly messages: () => Promise<number>;
  readonly log: (line: string) => void;
}

/** A refusal in the words of hosted Realtime: a code, and a sentence. */
class RefusedJoinError extends Error {}

const broadcastSchema = z.object({ event: z.string(), payload: z.unknown() });
const tokenSchema = z.object({ access_token: z.string() });

/**
 * One client's connection: joins, leaves, heartbeats, tokens and broadcasts, one after the other.
 */
export class RealtimeSocket {
  readonly #channels = new Map<string, Channel>();
  #turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly socket: WebSocket,
    private readonly version: Version,
    /** Who the API key stands for. */
    private readonly anonymous: Listener,
    private readonly context: SocketContext,
  ) {
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      this.#turn = this.#turn.then(() => this.#receive(data)).catch((error) => {
        context.log(`Realtime: ${Deno.inspect(error)}`);
      });
    };
  }

  /** Forgets all channels; the connection is gone or going. */
  dispose(): void {
    for (const channel of this.#channels.values()) this.#forget(channel);
  }

  /** Ends the connection as a lost network would, for the client to come back. */
  drop(): void {
    this.dispose();
    if (this.socket.readyState === WebSocket.OPEN) this.socket.close(1012, "Service restart");
  }

  async #receive(data: unknown): Promise<void> {
    const frame = decodeFrame(data, this.version);
    if (frame.topic === "phoenix" && frame.event === "heartbeat") return this.#reply(frame, {});
    if (frame.event === "phx_join") return await this.#join(frame);
    const channel = this.#channels.get(frame.topic);
    // Of an earlier join of the same topic, as a client that reconnects may still send.
    if (!channel || (frame.joinRef !== null && frame.joinRef !== channel.joinRef)) {
      return this.#reply(frame, { reason: "unmatched topic" }, "error");
    }
    if (frame.event === "phx_leave") return this.#leave(channel, frame);
    if (frame.event === "access_token") return await this.#renew(channel, frame.payload);
    if (frame.event === "broadcast") return await this.#broadcast(channel, frame);
    // Nobody is shown as present here, and nobody who tracks is refused.
    if (frame.event === "presence") this.#reply(frame, {});
  }

  async #join(frame: Frame): Promise<void> {
    const former = this.#channels.get(frame.topic);
    if (former) this.#forget(former);
    const { access_token, config } = parseJoin(frame.payload);
    try {
      if (!/^realtime:./.test(frame.topic)) {
        throw new RefusedJoinError("TopicNameRequired: You must provide a topic name");
      }
      const channel = new Channel(
        frame.topic,
        frame.joinRef ?? frame.ref,
        config,
        await this.#listener(access_token),
        this.#outlet,
      );
      await this.#authorise(channel);
      const subscribed = await this.#subscribe(channel);
      if (this.socket.readyState !== WebSocket.OPEN) return channel.dispose();
      await this.context.feed.listen(await this.context.messages());
      this.#channels.set(frame.topic, channel);
      this.context.hub.add(channel);
      this.#watchToken(channel);
      this.#reply(frame, { postgres_changes: subscribed.bindings });
      if (config.presence.enabled) channel.push("presence_state", {});
      if (subscribed.error) channel.report("postgres_changes", "error", subscribed.error);
      else if (config.postgres_changes.length > 0) {
        channel.report("postgres_changes", "ok", "Subscribed to PostgreSQL");
      }
    } catch (error) {
      const refused = error instanceof RefusedJoinError;
      this.#reply(frame, { reason: refused ? error.message : "Unknown Error on Channel" }, "error");
      if (!refused) throw error;
    }
  }

  /** Throws `RefusedJoinError`. API keys are no tokens: who sends one is who connected with it. */
  async #listener(token: string | null | undefined): Promise<Listener> {
    if (!token || token.startsWith("sb_")) return this.anonymous;
    try {
      const claims = await this.context.tokens.verify(token);
      return { role: claims.role, claims };
    } catch (error) {
      if (!(error instanceof InvalidTokenError)) throw error;
      throw new RefusedJoinError(
        error.reason === "expired"
          ? "InvalidJWTToken: Token has expired"
          : "JwtSignatureError: Failed to validate JWT signature",
      );
    }
  }

  async #authorise({ config, listener, name }: Channel): Promise<void> {
    if (!config.private || await this.context.access.mayReceive(listener, name)) return;
    throw new RefusedJoinError(
      `Unauthorized: You do not have permissions to read from this Channel topic: ${name}`,
    );
  }

  /**
   * Each asked-for change with a number: the same for the same question, or the client loses count.
   */
  async #subscribe(channel: Channel) {
    const asked = channel.config.postgres_changes;
    const texts = [...new Set(asked.map((params) => JSON.stringify(params)))];
    const bindings = asked.map((params) => ({
      ...params,
      id: texts.indexOf(JSON.stringify(params)) + 1,
    }));
    try {
      const subscriptions: Subscription[] = [];
      for (const { id, ...params } of bindings) {
        const interest = parseInterest(params);
        const entities = await this.context.access.tablesOf(channel.listener, interest);
        for (const entity of entities) await this.context.feed.listen(entity);
        subscriptions.push({ id, interest, entities });
      }
      channel.subscriptions = subscriptions;
      return { bindings, error: null };
    } catch (error) {
      if (!(error instanceof InterestError)) throw error;
      return { bindings, error: error.message };
    }
  }

  async #renew(channel: Channel, payload: unknown): Promise<void> {
    const { data } = tokenSchema.safeParse(payload);
    if (!data || data.access_token.startsWith("sb_")) return;
    try {
      channel.listener = await this.#listener(data.access_token);
      await this.#authorise(channel);
      this.#watchToken(channel);
    } catch (error) {
      if (!(error instanceof RefusedJoinError)) throw error;
      this.#shutDown(channel, error.message);
    }
  }

  #watchToken(channel: Channel): void {
    channel.endsWithToken(() => this.#shutDown(channel, "Token has expired"));
  }

  #shutDown(channel: Channel, reason: string): void {
    channel.report("system", "error", reason);
    this.#forget(channel);
    channel.push("phx_close", {});
  }

  #leave(channel: Channel, frame: Frame): void {
    this.#forget(channel);
    this.#reply(frame, {});
    channel.push("phx_close", {});
  }

  #forget(channel: Channel): void {
    channel.dispose();
    this.context.hub.remove(channel);
    if (this.#channels.get(channel.topic) === channel) this.#channels.delete(channel.topic);
    if (this.context.hub.isEmpty) void this.context.feed.silence().catch(() => {});
  }

  /**
   * Where a topic is private and no policy lets the client send, nobody hears of it, not even the
   * client.
   */
  async #broadcast(channel: Channel, frame: Frame): Promise<void> {
    const { data } = broadcastSchema.safeParse(frame.payload);
    const { config, name, listener } = channel;
    if (!data) return;
    if (config.private && !await this.context.access.maySend(listener, name)) return;
    this.context.hub.broadcast(
      { name, isPrivate: config.private, ...(config.broadcast.self ? {} : { except: channel }) },
      { event: data.event, payload: data.payload },
    );
    if (config.broadcast.ack) this.#reply(frame, {});
  }

  #reply(frame: Frame, response: unknown, status: "ok" | "error" = "ok"): void {
    const { joinRef, ref, topic } = frame;
    this.#outlet.send({ joinRef, ref, topic, event: "phx_reply", payload: { status, response } });
  }

  readonly #outlet = {
    send: (frame: Frame) => this.#transmit(encodeFrame(frame, this.version)),
    sendBroadcast: (topic: string, broadcast: Broadcast) =>
      this.#transmit(encodeBroadcast(topic, broadcast, this.version)),
  };

  #transmit(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(data);
  }
}
