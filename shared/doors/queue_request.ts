/** The body of queue-video, checked field by field. */
import { z } from "zod";
import { promptingStrategies } from "../domain/prompts.ts";
import { aspectRatios } from "../domain/shapes.ts";
import { sha256Hex } from "../hex.ts";
import { isStorableText } from "../storable.ts";

/** Longest URL taken, in characters. */
const URL_MAX = 2048;
/**
 * What a URL consists of (RFC 3986): printable ASCII. Parsers differ about the rest: ours drops a tab
 * and takes a backslash for a slash, and may so see another host than the provider does.
 */
const PLAIN_URL = /^[\x21-\x5b\x5d-\x7e]+$/;

/**
 * https, one of these hosts, no credentials, no port: nothing else is ever handed to a provider. Nor is
 * a child's picture, which goes by child_id and consent.
 */
export function pictureUrl(hosts: readonly string[]) {
  return z.string().max(URL_MAX).refine(
    (text) => {
      if (!PLAIN_URL.test(text) || !URL.canParse(text)) return false;
      const url = new URL(text);
      return url.protocol === "https:" && hosts.includes(url.hostname) &&
        url.port === "" &&
        url.username === "" && url.password === "" && !isAvatar(url);
    },
    {
      message: `must be an https URL on one of these hosts: ${hosts.join(", ")}`,
    },
  );
}

/** Whether a link leads into the bucket of children's pictures, however it is written. */
function isAvatar(url: URL): boolean {
  try {
    return /(^|\/)avatars(\/|$)/i.test(decodeURIComponent(url.pathname));
  } catch {
    return true;
  }
}

/**
 * People's own words, without space around them. What Postgres does not keep is refused here, for there
 * it would undo the call that others' orders share.
 */
export function words(least: number, most: number) {
  return z.string().trim().min(least).max(most)
    .refine(isStorableText, "must be whole characters, and no U+0000");
}

/** The name of a model, or "auto". */
export const modelName = z.string().regex(
  /^[\x21-\x7e]{1,100}$/,
  "must be 1 to 100 printable ASCII characters",
);
/** "auto", or the name of one that is switched on here. */
export const providerName = z.string().regex(
  /^[a-z][a-z0-9_]{1,30}$/,
  "must be the lower-case name of a provider",
);

const rhymeFields = {
  kind: z.literal("rhyme").optional(),
  user_id: z.uuid().optional(),
  /** Answers the price and charges nothing. */
  quote: z.boolean().optional(),
  child_id: z.uuid(),
  rhyme_id: z.uuid(),
  model: modelName.optional(),
  duration: z.number().positive().max(600).optional(),
  width: z.int().positive().max(8192).optional(),
  height: z.int().positive().max(8192).optional(),
  fps: z.int().positive().max(120).optional(),
  seed: z.int().positive().optional(),
};

/** The limits of words are the widest of any model; each model's own are checked when it is chosen. */
const modelFields = () => ({
  user_id: z.uuid().optional(),
  quote: z.boolean().optional(),
  child_id: z.uuid().optional(),
  title: words(1, 120).optional(),
  prompt: words(2, 10_000),
  negative_prompt: words(2, 10_000).optional(),
  style: words(1, 200).optional(),
  prompting_strategy: z.enum(promptingStrategies).optional(),
  provider: providerName.optional(),
  model: modelName.optional(),
  duration: z.number().positive().max(600).optional(),
  aspect_ratio: z.enum(aspectRatios).optional(),
  resolution: z.string().regex(
    /^[0-9a-zA-Z]{2,20}$/,
    'must be a quality such as "720p"',
  )
    .optional(),
  fps: z.int().positive().max(120).optional(),
  seed: z.int().positive().optional(),
  audio: z.boolean().optional(),
  fallbacks: z.array(
    z.strictObject({ provider: providerName, model: modelName.optional() }),
  ).max(3)
    .optional(),
});

const rhymeSchema = z.strictObject({
  ...rhymeFields,
  avatar_url: z.string().max(URL_MAX).optional(),
});

/** What a deployment allows in requests. */
interface Allowed {
  /** Hosts of pictures. */
  readonly imageHosts: readonly string[];
}

/** The schema for this deployment's hosts. Unknown fields are refused, so none is dropped. */
export function queueRequestSchema({ imageHosts }: Allowed) {
  const frame = pictureUrl(imageHosts);
  const fields = modelFields();
  return z.discriminatedUnion("kind", [
    rhymeSchema,
    z.strictObject({ kind: z.literal("prompt"), ...fields }),
    z.strictObject({
      kind: z.literal("image"),
      ...fields,
      first_frame: frame,
      last_frame: frame.optional(),
    }),
    z.strictObject({ kind: z.literal("clip"), ...fields, first_frame: frame, last_frame: frame }),
  ], {
    error: 'must be "rhyme", "prompt", "image" or "clip"; absent, it is a rhyme',
  });
}

/** A checked request. */
export type QueueRequest = z.infer<ReturnType<typeof queueRequestSchema>>;
/** One for a video from the catalogue. */
export type RhymeRequest = Extract<QueueRequest, { rhyme_id: string }>;
/** One in the caller's own words. */
export type ModelRequest = Exclude<QueueRequest, RhymeRequest>;

/** Chooses the schema that a body is checked with. */
export type QueueRequestSchemas = (body: unknown) => z.ZodType<QueueRequest>;

/**
 * Makes the choice for this deployment. A rhyme is checked with its own schema: to build those of the
 * other kinds would be a tenth of a cold start. They are built once, by the first who asks for one.
 */
export function queueRequestSchemas(allowed: Allowed): QueueRequestSchemas {
  let ofAllKinds: ReturnType<typeof queueRequestSchema> | undefined;
  return (body) => isRhyme(body) ? rhymeSchema : ofAllKinds ??= queueRequestSchema(allowed);
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
