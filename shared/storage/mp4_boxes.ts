/** Follows the boxes of an MP4 as it passes, to tell a whole file from one that was cut. */

const HEADER_BYTES = 8;
/** With a 64-bit length behind the type. */
const LONG_HEADER_BYTES = 16;

/**
 * Knows at each moment whether the bytes so far end inside a box. A server's Content-Length is only its
 * word: a file cut at a wrong one arrives without an error. ISO 14496-12, 4.2.
 */
export class Mp4Boxes {
  /** Bytes of the current box still to come; Infinity once it is not for us to say. */
  #left = 0;
  #header: number[] = [];

  /** Takes the next bytes. */
  add(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.byteLength) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.byteLength - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      this.#header.push(chunk[at++] ?? 0);
      this.#open();
    }
  }

  /** Whether a box was begun that did not come to its end. */
  get isCut(): boolean {
    return this.#left > 0 && this.#left !== Infinity;
  }

  #open(): void {
    if (this.#header.length < HEADER_BYTES) return;
    const view = new DataView(Uint8Array.from(this.#header).buffer);
    const size = view.getUint32(0);
    const type = String.fromCharCode(...this.#header.slice(4, HEADER_BYTES));
    if (size === 1 && this.#header.length < LONG_HEADER_BYTES) return;
    const length = size === 1 ? Number(view.getBigUint64(8)) : size;
    // 0 means "to the end". What is no box at all is some writer's trailer: players pass over it.
    const isBox = /^[A-Za-z0-9]{4}$/.test(type) && length >= this.#header.length;
    this.#left = isBox ? length - this.#header.length : Infinity;
    this.#header = [];
  }
}
