import { type Sample, SAMPLES } from "./media/samples.ts";
import { lengthOf, type Segment } from "./segments.ts";

const HEADER_BYTES = 8;
const loaded = new Map<string, Promise<Uint8Array>>();

/** What a file is to look like. */
export interface Wanted {
  readonly width: number;
  readonly height: number;
  readonly seconds: number;
}

/**
 * An MP4 that plays: the sample nearest to `wanted`, and behind it a `free` box (which players
 * skip) with `mark`, so that no two files are the same. With `bytes`, a second `free` box of zeros
 * fills the file up to that size.
 */
export async function makeMp4(
  wanted: Wanted,
  { mark, bytes }: { readonly mark: string; readonly bytes: number | null },
): Promise<Segment[]> {
  const { file } = nearestSample(wanted);
  const video = [await loadSample(file), freeBox(new TextEncoder().encode(mark))];
  const missing = (bytes ?? 0) - video.reduce((sum, part) => sum + lengthOf(part), 0);
  if (missing < HEADER_BYTES) return video;
  return [...video, boxHeader(missing), { zeros: missing - HEADER_BYTES }];
}

/** The sample of the nearest shape, then of the nearest length, then of the nearest size. */
export function nearestSample({ width, height, seconds }: Wanted): Sample {
  const distance = (sample: Sample) => [
    Math.abs(Math.log(sample.width / sample.height) - Math.log(width / height)),
    Math.abs(sample.seconds - seconds),
    Math.abs(sample.width * sample.height - width * height),
  ];
  return SAMPLES.reduce((best, one) => isNearer(distance(one), distance(best)) ? one : best);
}

function isNearer(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, i) => Math.abs(value - (b[i] ?? 0)) > 1e-9);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}

function loadSample(file: string): Promise<Uint8Array> {
  const bytes = loaded.get(file) ?? Deno.readFile(new URL(`./media/${file}`, import.meta.url));
  loaded.set(file, bytes);
  return bytes;
}

function freeBox(content: Uint8Array): Uint8Array {
  const box = new Uint8Array(HEADER_BYTES + content.length);
  box.set(boxHeader(box.length));
  box.set(content, HEADER_BYTES);
  return box;
}

/** ISO 14496-12: 32 bits of size, big-endian and with the header, then the type. */
function boxHeader(size: number): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  new DataView(header.buffer).setUint32(0, size);
  header.set(new TextEncoder().encode("free"), 4);
  return header;
}
