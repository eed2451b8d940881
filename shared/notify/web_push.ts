/**
 * Web Push (RFC 8030, 8291, 8292): browsers and installed web apps.
 *
 * A push service takes no id of ours. Its `Topic` has a second message take the place of the first while
 * the browser is away; after that the page's service worker does, by the `tag` in the payload.
 */
import { Buffer } from "node:buffer";
import webPush from "web-push";
import { type Channel, KEPT_SECONDS, type Message, tagOf } from "./channel.ts";
import { outcomeOf, post } from "./request.ts";

/** Who we are to push services, and which of them we speak to. */
export interface WebPushOptions {
  /** base64url, as `web-push generate-vapid-keys` prints them. */
  readonly publicKey: string;
  readonly privateKey: string;
  /** `mailto:` or `https:`, where a push service finds us. */
  readonly subject: string;
  /** Hosts that endpoints may be at, with port where it is not the scheme's own; "*." for any below. */
  readonly hosts?: readonly string[];
}

/** The push services of Chrome, Firefox, Safari and Edge. */
export const PUSH_HOSTS = [
  "fcm.googleapis.com",
  "updates.push.services.mozilla.com",
  "web.push.apple.com",
  "*.push.apple.com",
  "*.notify.windows.com",
] as const;

/** Sends, encrypted for the browser, to its push service. Endpoints come from users: the hosts are a wall. */
export function webPushChannel(
  { publicKey, privateKey, subject, hosts = PUSH_HOSTS }: WebPushOptions,
): Channel {
  return async (message) => {
    const { address, keys } = message;
    if (address === null || keys === null || !isAllowed(address, hosts)) {
      return { outcome: "gone", code: "endpoint_not_allowed" };
    }
    let details;
    try {
      details = webPush.generateRequestDetails(
        { endpoint: address, keys },
        webPushPayload(message),
        {
          vapidDetails: { subject, publicKey, privateKey },
          contentEncoding: "aes128gcm",
          TTL: KEPT_SECONDS,
          urgency: "normal",
          topic: topicOf(message),
        },
      );
    } catch {
      // A key that is no point on the curve: nobody can read what would be encrypted for it.
      return { outcome: "gone", code: "invalid_keys" };
    }
    const headers = Object.entries(details.headers)
      .filter(([name]) => name.toLowerCase() !== "content-length")
      .map(([name, value]) => [name, String(value)]);
    const answer = await post(details.endpoint, {
      headers: Object.fromEntries(headers),
      body: new Uint8Array(details.body ?? Buffer.alloc(0)),
    });
    if (answer.status === 404 || answer.status === 410) {
      return { outcome: "gone", code: `http_${answer.status}` };
    }
    return outcomeOf(answer);
  };
}

/** What the page's service worker gets, as JSON. */
export function webPushPayload(message: Message): string {
  const { id, title, body, imageUrl, data } = message;
  return JSON.stringify({ id, tag: tagOf(message), title, body, image: imageUrl, data });
}

/** At most 32 characters of base64url: the video's id, and a letter for the kind in place of one digit. */
function topicOf({ kind, videoId }: Message): string {
  return `${kind === "video_ready" ? "r" : "f"}${videoId.replaceAll("-", "").slice(1)}`;
}

function isAllowed(endpoint: string, hosts: readonly string[]): boolean {
  if (!URL.canParse(endpoint)) return false;
  const { protocol, host, username, password } = new URL(endpoint);
  const isLocal = /^(127\.0\.0\.1|localhost|\[::1\]):\d+$/.test(host);
  return (protocol === "https:" || (protocol === "http:" && isLocal)) &&
    username === "" && password === "" &&
    hosts.some((one) => one.startsWith("*.") ? host.endsWith(one.slice(1)) : host === one);
}
