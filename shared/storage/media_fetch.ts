/** Fetching a finished file from a provider: only from its own hosts, only what looks like an MP4. */

/** Why a file could not be had. `gone`: the link is dead, a fresh one may work. */
export class MediaError extends Error {
  override name = "MediaError";
  constructor(
    readonly code: "host_not_allowed" | "gone" | "unavailable" | "not_a_video" | "too_large",
    message: string,
  ) {
    super(message);
  }
}

/** Largest file taken, in bytes. */
export const LARGEST_VIDEO = 500_000_000;

/**
 * Whether a URL may be fetched: https and on the list. Plain http only where the list names that very
 * loopback address, as it does for a sandbox.
 */
export function isAllowedMedia(text: string, hosts: readonly string[]): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || !hosts.includes(url.host)) return false;
  return url.protocol === "https:" ||
    (url.protocol === "http:" && /^(127\.0\.0\.1|localhost)$/.test(url.hostname));
}

/** A file on its way. */
export interface Media {
  /** Ends with an error at the first byte that does not belong to a video. */
  readonly body: ReadableStream<Uint8Array>;
  /**
   * That error. An upload that streams the body fails with an error of its own, which does not say
   * why the body ended.
   */
  readonly problem: () => MediaError | undefined;
}

/** Opens the file as a stream that is checked as it passes. Redirects are not followed. */
export async function openVideo(
  url: string,
  { hosts, signal }: { hosts: readonly string[]; signal: AbortSignal },
): Promise<Media> {
  if (!isAllowedMedia(url, hosts)) {
    throw new MediaError("host_not_allowed", "The provider names a file outside its own hosts");
  }
  const response = await fetch(url, { redirect: "manual", signal });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    const gone = [403, 404, 410].includes(response.status);
    throw new MediaError(
      gone ? "gone" : response.status < 400 ? "host_not_allowed" : "unavailable",
      `The provider's file answers ${response.status}`,
    );
  }
  if (Number(response.headers.get("content-length") ?? 0) > LARGEST_VIDEO) {
    await response.body.cancel();
    throw new MediaError("too_large", `The file is larger than ${LARGEST_VIDEO} bytes`);
  }
  let problem: MediaError | undefined;
  const check = checkedVideo((error) => problem = error);
  return { body: response.body.pipeThrough(check), problem: () => problem };
}

/** Passes an MP4 through, chunk by chunk; errors on anything else and on one byte too many. */
function checkedVideo(
  onProblem: (error: MediaError) => void,
): TransformStream<Uint8Array, Uint8Array> {
  type Controller = TransformStreamDefaultController<Uint8Array>;
  const refuse = (controller: Controller, code: MediaError["code"], message: string) => {
    const error = new MediaError(code, message);
    onProblem(error);
    controller.error(error);
  };
  let size = 0;
  let head = new Uint8Array(0);
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.byteLength;
      if (size > LARGEST_VIDEO) {
        refuse(controller, "too_large", `The file is larger than ${LARGEST_VIDEO} bytes`);
        return;
      }
      if (head.byteLength < 8) {
        const grown = new Uint8Array(head.byteLength + chunk.byteLength);
        grown.set(head);
        grown.set(chunk, head.byteLength);
        head = grown;
        if (head.byteLength < 8) return;
        if (!startsLikeMp4(head)) {
          refuse(controller, "not_a_video", "The file is not an MP4");
          return;
        }
        controller.enqueue(head);
        return;
      }
      controller.enqueue(chunk);
    },
    flush(controller) {
      if (head.byteLength < 8) refuse(controller, "not_a_video", "The file is empty");
    },
  });
}

/** ISO 14496-12: a box is a 32-bit length and a four-letter type; an MP4's first is `ftyp`. */
function startsLikeMp4(head: Uint8Array): boolean {
  return new TextDecoder().decode(head.subarray(4, 8)) === "ftyp";
}
