/** The body of queue-video, checked field by field. */
import { z } from "zod";

/** Longest URL taken, in characters. */
const URL_MAX = 2048;
/**
 * What a URL consists of (RFC 3986): printable ASCII. Parsers differ about the rest: ours drops a tab
 * and takes a backslash for a slash, and may so see another host than the provider does.
 */
const PLAIN_URL = /^[\x21-\x5b\x5d-\x7e]+$/;

/** https, one of these hosts, no credentials, no port: nothing else is ever handed to a provider. */
function avatarUrl(hosts: readonly string[]) {
  return z.string().max(URL_MAX).refine(
    (text) => {
      if (!PLAIN_URL.test(text) || !URL.canParse(text)) return false;
      const url = new URL(text);
      return url.protocol === "https:" && hosts.includes(url.hostname) && url.port === "" &&
        url.username === "" && url.password === "";
    },
    { message: `must be an https URL on one of these hosts: ${hosts.join(", ")}` },
  );
}

/** The schema for this deployment's avatar hosts. Unknown fields are refused, so none is dropped. */
export function queueRequestSchema(avatarHosts: readonly string[]) {
  return z.strictObject({
    kind: z.literal("rhyme").default("rhyme"),
    user_id: z.uuid().optional(),
    child_id: z.uuid(),
    rhyme_id: z.uuid(),
    avatar_url: avatarUrl(avatarHosts).optional(),
    model: z.string().regex(/^[\x21-\x7e]{1,100}$/, "must be 1 to 100 printable ASCII characters")
      .optional(),
    duration: z.number().positive().max(600).optional(),
    width: z.int().positive().max(8192).optional(),
    height: z.int().positive().max(8192).optional(),
    fps: z.int().positive().max(120).optional(),
    seed: z.int().positive().optional(),
  });
}

/** A checked request. */
export type QueueRequest = z.infer<ReturnType<typeof queueRequestSchema>>;

/** The Idempotency-Key header: 1 to 255 printable ASCII characters. */
export const idempotencyKeySchema = z.string().regex(
  /^[\x21-\x7e][\x20-\x7e]{0,254}$/,
  "must be 1 to 255 printable ASCII characters",
);

/** SHA-256 of what was asked, independent of the order of fields. Hex. */
export async function requestHash(request: QueueRequest): Promise<string> {
  const { user_id: _, ...asked } = request;
  const canonical = JSON.stringify(
    Object.entries(asked).filter(([, value]) => value !== undefined).sort(([a], [b]) =>
      a < b ? -1 : 1
    ),
  );
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonical));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
