/** Links that callers send of pictures. */
import { z } from "zod";
import { URL_MAX } from "./fields.ts";

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
  return z.string().max(URL_MAX).superRefine((text, context) => {
    const message = wrongWith(text, hosts);
    if (message === undefined) return;
    context.addIssue({ code: "custom", message });
  });
}

function wrongWith(text: string, hosts: readonly string[]): string | undefined {
  const url = PLAIN_URL.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "https:") return "must be an https URL of plain ASCII characters";
  if (!hosts.includes(url.hostname)) return `must be on one of these hosts: ${hosts.join(", ")}`;
  if (url.port !== "") return `must have no port, and has ${url.port}`;
  if (url.username !== "" || url.password !== "") return "must have no user name and no password";
  if (showsChildren(url)) {
    return 'must not lead into "avatars" or "videos" of Storage, where children\'s pictures are';
  }
  return undefined;
}

/**
 * Whether a link leads into the bucket of children's pictures, or of videos, where those that a video began
 * with are kept beside it; however it is written.
 */
function showsChildren(url: URL): boolean {
  try {
    return /(^|\/)avatars(\/|$)|\/storage\/.*\/videos(\/|$)/i.test(
      decodeURIComponent(url.pathname),
    );
  } catch {
    return true;
  }
}
