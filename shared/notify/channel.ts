/** The port of the ways to tell a user something. A channel is an adapter. */

/** The channels there are, as the rows name them. */
export const CHANNELS = ["fcm", "web_push", "webhook"] as const;
/** One of them. */
export type ChannelName = typeof CHANNELS[number];

/** What is to be told, to whom, and where. */
export interface Message {
  /** The delivery's id: the same however often it is sent. */
  readonly id: string;
  /** `video_ready` or `video_failed`. */
  readonly kind: string;
  readonly userId: string;
  readonly videoId: string;
  readonly title: string;
  readonly body: string;
  /**
   * A link that works now and for as long as the message may wait, or null. Never to a child's picture
   * where the channel is not one of {@linkcode SEALED}.
   */
  readonly imageUrl: string | null;
  /** What the app opens: `{video_id, action: "view_video"}`. */
  readonly data: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  /** Where: an FCM token, a push endpoint; null for the app's own backend. */
  readonly address: string | null;
  /** What a Web Push message is encrypted for. */
  readonly keys: { readonly p256dh: string; readonly auth: string } | null;
}

/**
 * What became of one try. `later`: it may work another time. `gone`: nobody is at that address any
 * more. `refused`: the same message would be refused again. `code` is ours; what the service said
 * stays out of it, since that may quote the address.
 */
export type Outcome =
  | { readonly outcome: "sent" }
  | { readonly outcome: "later"; readonly code: string; readonly waitSeconds?: number }
  | { readonly outcome: "gone" | "refused"; readonly code: string };

/** A way to tell. Never throws: whatever goes wrong is an outcome. */
export type Channel = (message: Message) => Promise<Outcome>;

/**
 * Channels whose message is encrypted for the one who gets it. What others carry in the clear must not
 * lead to a child's picture: parents agreed that it goes to whoever makes their videos, and nowhere else.
 */
export const SEALED: ReadonlySet<ChannelName> = new Set(["web_push"]);

/** The channels that are set up. */
export type Channels = ReadonlyMap<ChannelName, Channel>;

/** Seconds a push service keeps a message for a device that is off; the picture's link lives an hour longer. */
export const KEPT_SECONDS = 86_400;

/**
 * The same words for the same thing, however often it arrives: what a phone or browser shows under a
 * tag that it shows already takes its place.
 */
export function tagOf({ kind, videoId }: Pick<Message, "kind" | "videoId">): string {
  return `${kind}:${videoId}`;
}
