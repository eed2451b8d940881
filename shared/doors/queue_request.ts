/** The body of queue-video, checked field by field: a rhyme here, all kinds in request_kinds.ts. */
import { z } from "zod";
import { sha256Hex } from "../hex.ts";
import type { Allowed, QueueRequest } from "./request_kinds.ts";

/** Longest URL taken, in characters. */
export const URL_MAX = 2048;

/** The name of a model, or "auto". */
export const modelName = z.string().regex(
  /^[\x21-\x7e]{1,100}$/,
  "must be 1 to 100 printable ASCII characters",
);

const id = z.uuid();
const pixels = z.int().positive().max(8192);

/** A video from the catalogue. */
export const rhymeSchema = z.strictObject({
  kind: z.literal("rhyme").optional(),
  user_id: id.optional(),
  /** Answers the price and charges nothing. */
  quote: z.boolean().optional(),
  child_id: id,
  rhyme_id: id,
  avatar_url: z.string().max(URL_MAX).optional(),
  model: modelName.optional(),
  duration: z.number().positive().max(600).optional(),
  width: pixels.optional(),
  height: pixels.optional(),
  fps: z.int().positive().max(120).optional(),
  seed: z.int().positive().optional(),
});

/** A checked request for a video from the catalogue. */
export type RhymeRequest = z.infer<typeof rhymeSchema>;
/** One in the caller's own words. */
export type WordsRequest = Exclude<QueueRequest, RhymeRequest>;

/** Chooses the schema that a body is checked with. */
export type QueueRequestSchemas = (body: unknown) => Promise<z.ZodType<QueueRequest>>;

/**
 * Makes the choice for this deployment. A rhyme is checked with its own schema: to build those of the
 * other kinds would be a tenth of a cold start. They are built once, by the first who asks for one.
 */
export function queueRequestSchemas(allowed: Allowed): QueueRequestSchemas {
  let ofAllKinds: z.ZodType<QueueRequest> | undefined;
  return async (body) => {
    if (isRhyme(body)) return rhymeSchema;
    return ofAllKinds ??= (await import("./request_kinds.ts")).queueRequestSchema(allowed);
  };
}

function isRhyme(body: unknown): boolean {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return false;
  return !("kind" in body) || body.kind === "rhyme";
}

/** The Idempotency-Key header: 1 to 255 printable ASCII characters. */
export const idempotencyKeySchema = z.string().regex(
  /^[\x21-\x7e][\x20-\x7e]{0,254}$/,
  "must be 1 to 255 printable ASCII characters",
);

/** SHA-256 of what was asked, independent of the order of fields. Hex. */
export async function requestHash(request: QueueRequest): Promise<string> {
  const { user_id: _, quote: _quote, ...rest } = request;
  // Signed anew for each try, a link is another one, and the same picture.
  const asked = "avatar_url" in rest
    ? { ...rest, avatar_url: rest.avatar_url?.split("?")[0] }
    : rest;
  return await hashOf({ ...asked, kind: asked.kind ?? "rhyme" });
}

/** SHA-256 of these fields, whatever their order; what is undefined is not there. Hex. */
export async function hashOf(fields: Readonly<Record<string, unknown>>): Promise<string> {
  const told = Object.entries(fields).filter(([, value]) => value !== undefined);
  return await sha256Hex(JSON.stringify(told.sort(([a], [b]) => a < b ? -1 : 1)));
}
