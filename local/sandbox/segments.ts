/** A piece of a file: bytes that are at hand, or a length of zeros. */
export type Segment = Uint8Array | { readonly zeros: number };

const CHUNK = new Uint8Array(64 * 1024);

/** How many bytes a piece has. */
export function lengthOf(segment: Segment): number {
  return segment instanceof Uint8Array ? segment.length : segment.zeros;
}

/**
 * The bytes from `start` up to `end` (exclusive) of the file that `segments` make, a chunk at a
 * time: however large the file, only one chunk of it exists.
 */
export function* readRange(
  segments: readonly Segment[],
  start: number,
  end: number,
): Generator<Uint8Array> {
  let offset = 0;
  for (const segment of segments) {
    const from = Math.max(0, start - offset);
    const to = Math.min(lengthOf(segment), end - offset);
    if (from < to) yield* readSegment(segment, from, to);
    offset += lengthOf(segment);
  }
}

function* readSegment(segment: Segment, from: number, to: number): Generator<Uint8Array> {
  for (let at = from; at < to; at += CHUNK.length) {
    const upTo = Math.min(to, at + CHUNK.length);
    yield segment instanceof Uint8Array ? segment.subarray(at, upTo) : CHUNK.subarray(0, upTo - at);
  }
}
