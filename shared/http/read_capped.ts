/** Reads the answers of others, within bounds: a body without an end must not fill our memory. */

/** Bytes that are read of an answer; nobody we ask sends nearly as many. */
const MOST_BYTES = 8 * 1_024 * 1_024;

/** An answer that is too long to be read. */
export class TooLongError extends Error {
  override readonly name = "TooLongError";
}

/** The text of an answer. Throws TooLongError beyond `most` bytes and reads no further. */
export async function readCapped(response: Response, most = MOST_BYTES): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (size > most) throw new TooLongError(`The answer is longer than ${most} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
