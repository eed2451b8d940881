import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";

const MAX_BODY_BYTES = 64 * 2 ** 20;

/** The body of a request as text; undefined where it is larger than anybody needs. */
export async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks).toString("utf8");
}
