/** Tells a request that is sent again from another one. */
import { sha256Hex } from "../hex.ts";
import type { QueueRequest } from "./request_kinds.ts";

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
