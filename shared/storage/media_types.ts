/** What files may be kept, told by how they begin rather than by what they are called. */

/** A kind of file that Storage is given. */
export interface MediaType {
  readonly contentType: string;
  /** Without the dot. */
  readonly extension: string;
  /** Whether a file that begins with these bytes is one. `head` holds HEAD_BYTES or the whole file. */
  readonly begins: (head: Uint8Array) => boolean;
}

/** What files one place may bring. */
export interface MediaRules {
  readonly types: readonly MediaType[];
  /** Largest file taken, in bytes. */
  readonly largest: number;
}

/** So many bytes tell every type apart. */
export const HEAD_BYTES = 12;

const text = (bytes: Uint8Array) => String.fromCharCode(...bytes);
const startsWith = (...bytes: number[]) => (head: Uint8Array) =>
  bytes.every((byte, index) => head[index] === byte);

/** ISO 14496-12: a box is a 32-bit length and a four-letter type; an MP4's first is `ftyp`. */
const mp4: MediaType = {
  contentType: "video/mp4",
  extension: "mp4",
  begins: (head) => text(head.subarray(4, 8)) === "ftyp",
};

const images: readonly MediaType[] = [
  { contentType: "image/jpeg", extension: "jpg", begins: startsWith(0xff, 0xd8, 0xff) },
  // RFC 2083, 12.11: the signature.
  {
    contentType: "image/png",
    extension: "png",
    begins: startsWith(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
  },
  // RFC 9649: RIFF, a length, WEBP.
  {
    contentType: "image/webp",
    extension: "webp",
    begins: (head) => text(head.subarray(0, 4)) === "RIFF" && text(head.subarray(8, 12)) === "WEBP",
  },
];

/** Finished videos. The bucket has the same limit. */
export const VIDEOS: MediaRules = { types: [mp4], largest: 500_000_000 };

/** First frames. Providers take pictures of up to 10 to 20 MB. */
export const THUMBNAILS: MediaRules = { types: images, largest: 20_000_000 };
