/** Streams that let go of their memory as they pass, whatever the runtime still holds on to. */

/**
 * The same bytes; the memory of a chunk is given back when the next one is asked for. For a body that
 * `fetch` sends: by its standard each chunk is taken over before another is read. Deno 2.1 keeps the
 * emptied chunks of a request until the request is over, which was the whole file (245 MB for 200), and
 * garbage collection elsewhere comes late for memory that is not on the heap.
 */
export function freedChunks(source: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let handedOver: Uint8Array | undefined;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      free(handedOver);
      const { done, value } = await reader.read();
      handedOver = value;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
    // A chunk that waits in a queue here would be freed before it is read.
  }, { highWaterMark: 0 });
}

/** A view's buffer is of no use to anybody afterwards: our streams never share one between chunks. */
function free(chunk: Uint8Array | undefined): void {
  if (chunk?.buffer instanceof ArrayBuffer) chunk.buffer.transfer(0);
}
