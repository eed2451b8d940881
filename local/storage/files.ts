import { createHash } from "node:crypto";
import { join } from "node:path";
import { refuse } from "./errors.ts";

/** What was written: size in bytes and the MD5 as an entity tag. */
export interface WrittenFile {
  readonly size: number;
  readonly eTag: string;
}

/**
 * The contents of objects, one file each, named by a random version instead of the object's name:
 * no name from a request ever becomes a path.
 */
export class ObjectFiles {
  constructor(private readonly root: string) {}

  /**
   * Streams `body` into the file of `version`; leaves no file when it fails or exceeds `limit`
   * bytes.
   */
  async write(
    version: string,
    body: ReadableStream<Uint8Array> | null,
    limit: number,
  ): Promise<WrittenFile> {
    await Deno.mkdir(this.root, { recursive: true });
    const path = this.#path(version);
    const hash = createHash("md5");
    let size = 0;
    const file = await Deno.open(path, { write: true, createNew: true });
    try {
      using _closed = file;
      for await (const chunk of body ?? []) {
        size += chunk.byteLength;
        if (size > limit) throw refuse.tooLarge();
        hash.update(chunk);
        writeAll(file, chunk);
      }
    } catch (error) {
      await this.remove(version);
      throw error;
    }
    return { size, eTag: `"${hash.digest("hex")}"` };
  }

  /** The bytes from `start` up to and including `end`. */
  async read(version: string, start: number, end: number): Promise<ReadableStream<Uint8Array>> {
    const file = await Deno.open(this.#path(version));
    if (start > 0) await file.seek(start, Deno.SeekMode.Start);
    let left = end - start + 1;
    const limiter = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const part = chunk.subarray(0, left);
        left -= part.byteLength;
        if (part.byteLength > 0) controller.enqueue(part);
        if (left === 0) controller.terminate();
      },
    });
    return file.readable.pipeThrough(limiter);
  }

  async remove(version: string): Promise<void> {
    await Deno.remove(this.#path(version)).catch((error: unknown) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }

  #path(version: string): string {
    return join(this.root, version);
  }
}

/**
 * Without waiting: it is a copy into the kernel's cache. A reader that pauses after each piece, for
 * a thread to write it, lets the connection's window run full, and 200 MB took half a minute.
 */
function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength;) at += file.writeSync(bytes.subarray(at));
}
