/**
 * Phoenix frames as Supabase Realtime speaks them: version 1.0.0 is a JSON object, 2.0.0 a JSON
 * array, with binary frames for broadcasts. Source: the serializer of @supabase/realtime-js 2.119.0
 * and lib/realtime_web/socket/v2_serializer.ex at github.com/supabase/realtime.
 */
import { z } from "zod";

/** The versions of the protocol, as the query parameter `vsn` names them. */
export type Version = "1.0.0" | "2.0.0";

/** One message of a socket. */
export interface Frame {
  readonly joinRef: string | null;
  readonly ref: string | null;
  readonly topic: string;
  readonly event: string;
  readonly payload: unknown;
}

/** What a broadcast carries; `meta` names the stored message it comes from. */
export interface Broadcast {
  readonly event: string;
  readonly payload: unknown;
  readonly meta?: { readonly id: string };
}

const ref = z.string().nullish().transform((value) => value ?? null);
const object = z.object({
  join_ref: ref,
  ref,
  topic: z.string(),
  event: z.string(),
  payload: z.unknown(),
}).transform(({ join_ref, ...rest }): Frame => ({ ...rest, joinRef: join_ref }));
const array = z.tuple([ref, ref, z.string(), z.string(), z.unknown()])
  .transform(([joinRef, ref, topic, event, payload]): Frame => ({
    ...{ joinRef, ref, topic, event, payload },
  }));

/** The first byte of a binary frame: a client's broadcast, and one on its way to clients. */
const PUSHED = 3;
const SENT = 4;
const JSON_ENCODING = 1;

/** Reads what a client sent. Throws when it is no frame of this version. */
export function decodeFrame(data: unknown, version: Version): Frame {
  if (data instanceof ArrayBuffer) return decodePush(new Uint8Array(data));
  const parsed: unknown = JSON.parse(z.string().parse(data));
  return version === "1.0.0" ? object.parse(parsed) : array.parse(parsed);
}

/** A frame as text. */
export function encodeFrame(frame: Frame, version: Version): string {
  const { joinRef, ref, topic, event, payload } = frame;
  return JSON.stringify(
    version === "1.0.0"
      ? { join_ref: joinRef, ref, topic, event, payload }
      : [joinRef, ref, topic, event, payload],
  );
}

/** A broadcast to clients: text in version 1.0.0, binary in 2.0.0. */
export function encodeBroadcast(
  topic: string,
  broadcast: Broadcast,
  version: Version,
): string | Uint8Array<ArrayBuffer> {
  if (version === "1.0.0") {
    const payload = { type: "broadcast", ...broadcast };
    return encodeFrame({ joinRef: null, ref: null, topic, event: "broadcast", payload }, version);
  }
  const fields = [topic, broadcast.event, broadcast.meta ? JSON.stringify(broadcast.meta) : ""]
    .map(bytes);
  const sizes = fields.map((field) => field.length);
  if (sizes.some((size) => size > 255)) throw new Error(`The topic "${topic}" is too long`);
  return join([
    Uint8Array.from([SENT, ...sizes, JSON_ENCODING]),
    ...fields,
    bytes(JSON.stringify(broadcast.payload ?? {})),
  ]);
}

/**
 * Sizes of join ref, ref, topic, event and metadata, the encoding, then these fields and the
 * payload.
 */
function decodePush(frame: Uint8Array): Frame {
  const [kind, ...header] = frame.subarray(0, 7);
  if (kind !== PUSHED || header.length < 6) throw new Error(`Binary frame of kind "${kind}"`);
  let offset = 7;
  const [joinRef, ref, topic, event] = header.slice(0, 5).map((size) => {
    offset += size;
    return new TextDecoder().decode(frame.subarray(offset - size, offset));
  });
  if (header[5] !== JSON_ENCODING) throw new Error("Broadcasts of bytes are not carried here");
  const payload: unknown = JSON.parse(new TextDecoder().decode(frame.subarray(offset)));
  return {
    joinRef: joinRef || null,
    ref: ref || null,
    topic: topic ?? "",
    event: "broadcast",
    payload: { type: "broadcast", event: event ?? "", payload },
  };
}

const bytes = (text: string) => new TextEncoder().encode(text);

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
