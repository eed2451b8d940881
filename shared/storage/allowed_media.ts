/** Which places files are fetched from. */
import { isLoopback } from "../config.ts";

/**
 * Whether a URL may be fetched: https and on the list. Plain http only where the list names that very
 * loopback address, as it does for a sandbox. No other address of a private network is ever fetched,
 * not even one that somebody put on the list.
 */
export function isAllowedMedia(text: string, hosts: readonly string[]): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || !hosts.includes(url.host)) return false;
  if (isLoopback(url)) return /^https?:$/.test(url.protocol);
  return url.protocol === "https:" && !isPrivateHost(url.hostname);
}

/**
 * Loopback, private, link-local, shared (RFC 1918, 3927, 6598), this network, multicast and reserved
 * addresses; every IPv6 literal, since no provider serves files from one; names without a dot. `URL` has
 * brought an IPv4 address into its usual form.
 */
function isPrivateHost(hostname: string): boolean {
  if (hostname.startsWith("[") || !hostname.includes(".")) return true;
  const parts = hostname.split(".");
  if (!parts.every((part) => /^\d+$/.test(part))) {
    return /\.(local|internal|localhost)$/.test(hostname);
  }
  const [a = 0, b = 0] = parts.map(Number);
  return a === 0 || a === 10 || a === 127 || a >= 224 || (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168) ||
    (a === 100 && b >= 64 && b <= 127);
}
