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
