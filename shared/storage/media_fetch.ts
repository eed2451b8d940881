/**
 * Fetching a file: only from hosts that are on a list, only what begins as it should, never whole
 * in memory.
 */
import { isAllowedMedia } from "./allowed_media.ts";
import { HEAD_BYTES, type MediaRules, type MediaType } from "./media_types.ts";
import { Mp4Boxes } from "./mp4_boxes.ts";

/**
 * Why a file could not be had. `gone`: the link is dead. A fresh one may mend that, as it may a
 * wrong host or content. `unavailable`: an answer without a file; another try may bring one. `cut`:
 * it ended too early.
 */
export class MediaError extends Error {
  override name = "MediaError";
  constructor(
    readonly code:
      | "host_not_allowed"
      | "gone"
      | "unavailable"
      | "wrong_content"
      | "too_large"
      | "cut",
    message: string,
  ) {
    super(message);
  }
}

/** A file on its way. */
export interface Media {
  readonly type: MediaType;
  /** Ends with an error at the first byte too many, and where the file ends too early. */
  readonly body: ReadableStream<Uint8Array>;
  /**
   * That error. An upload that streams the body fails with an error of its own, which does not say
   * why the body ended.
   */
  readonly problem: () => MediaError | undefined;
}

/** Where and what to fetch. */
export interface FetchOptions {
  readonly hosts: readonly string[];
  readonly wanted: MediaRules;
  readonly signal: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until its first bytes are there. */
  readonly beginningMs?: number;
}

/** Hosts of files redirect to their own storage at times; more than this is a circle. */
const MOST_REDIRECTS = 3;
/** A file that has not begun by then is asked for again later: a host that hangs must not hold up others. */
const BEGINNING_MS = 15_000;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * Opens a file as a stream, once it has begun as one that is wanted. A redirect is followed only to where
 * a file may be fetched from anyway. Throws MediaError, and fetch's own errors.
 */
export async function openMedia(url: string, options: FetchOptions): Promise<Media> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new MediaError("unavailable", "The file did not begin in time")),
    options.beginningMs ?? BEGINNING_MS,
  );
  try {
    return await beginMedia(url, {
      ...options,
      signal: AbortSignal.any([options.signal, late.signal]),
    });
  } finally {
    clearTimeout(timer);
  }
}

async function beginMedia(
  url: string,
  { hosts, wanted, signal, headers = {} }: FetchOptions,
): Promise<Media> {
  const response = await answerOf(url, { hosts, signal, headers });
  const { body, status } = response;
  if (!response.ok || body === null) {
    await body?.cancel();
    const gone = [401, 403, 404, 410].includes(status);
    throw new MediaError(gone ? "gone" : "unavailable", `The file answers ${status}`);
  }
  if (Number(response.headers.get("content-length") ?? 0) > wanted.largest) {
    await body.cancel();
    throw tooLarge(wanted);
  }
  const reader = body.getReader();
  const head = await readHead(reader);
  const type = wanted.types.find((each) => each.begins(head));
  if (type === undefined) {
    await reader.cancel();
    const names = wanted.types.map((each) => each.extension.toUpperCase()).join(" or ");
    throw new MediaError("wrong_content", `The file is not ${names}`);
  }
  return { type, ...checked(head, reader, { type, wanted }) };
}

/** The first answer that is no redirect, or one redirect too many. Each step is held to the same rules. */
async function answerOf(
  url: string,
  { hosts, signal, headers }: Required<Pick<FetchOptions, "hosts" | "signal" | "headers">>,
): Promise<Response> {
  let at = url;
  for (let redirects = 0;; redirects++) {
    if (!isAllowedMedia(at, hosts)) {
      throw new MediaError("host_not_allowed", "The file is outside the hosts it may come from");
    }
    // Our credentials go to the first origin only.
    const own = new URL(at).origin === new URL(url).origin;
    const response = await fetch(at, {
      redirect: "manual",
      signal,
      headers: own ? headers : {},
    });
    const place = response.headers.get("location");
    const leads = REDIRECTS.includes(response.status) && place !== null;
    if (!leads || redirects === MOST_REDIRECTS) return response;
    await response.body?.cancel();
    at = URL.parse(place, at)?.href ?? "";
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** The first chunks, until they tell what the file is. */
async function readHead(reader: Reader): Promise<Uint8Array> {
  let head = new Uint8Array(0);
  while (head.byteLength < HEAD_BYTES) {
    const { done, value } = await reader.read();
    if (done) break;
    const grown = new Uint8Array(head.byteLength + value.byteLength);
    grown.set(head);
    grown.set(value, head.byteLength);
    head = grown;
  }
  return head;
}

/** Passes the file on, a chunk for each that is asked for. */
function checked(
  head: Uint8Array,
  reader: Reader,
  { type, wanted }: { type: MediaType; wanted: MediaRules },
): Pick<Media, "body" | "problem"> {
  let problem: MediaError | undefined;
  let size = 0;
  const boxes = type.extension === "mp4" ? new Mp4Boxes() : undefined;
  const pass = (controller: ReadableStreamDefaultController<Uint8Array>, chunk: Uint8Array) => {
    size += chunk.byteLength;
    if (size > wanted.largest) throw problem = tooLarge(wanted);
    boxes?.add(chunk);
    controller.enqueue(chunk);
  };
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => pass(controller, head),
    async pull(controller) {
      const { done, value } = await reader.read();
      try {
        if (!done) return pass(controller, value);
        if (boxes?.isCut) throw problem = new MediaError("cut", "The file ends inside a box");
        controller.close();
      } catch (error) {
        await reader.cancel().catch(() => {});
        throw error;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 1 });
  return { body, problem: () => problem };
}

function tooLarge({ largest }: MediaRules): MediaError {
  return new MediaError("too_large", `The file is larger than ${largest} bytes`);
}
