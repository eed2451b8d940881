/**
 * An app's side of Gemreel, for React Native and the web. Copy it; it only needs supabase-js.
 * tests/e2e/mobile_test.ts runs it against the whole stack. See docs/mobile.md.
 */
import { FunctionsHttpError, type SupabaseClient } from "@supabase/supabase-js";

/** What screens show of a video. Rows, broadcasts and videos_since bring these names. */
export interface Video {
  readonly id: string;
  readonly title: string;
  readonly status: "queued" | "processing" | "rendering" | "completed" | "failed" | "cancelled";
  readonly stage: string;
  /** 0 to 100. */
  readonly progress: number;
  readonly error_message: string | null;
  /** ISO 8601, to the microsecond. */
  readonly created_at: string;
  /** Grows with every change; of two states of one video the greater rev is the newer. */
  readonly rev: number;
}

/** What video-status adds. The links live an hour: ask again rather than keep them. */
export interface VideoStatus extends Omit<Video, "id"> {
  readonly video_id: string;
  /** A sentence to show while the user waits. */
  readonly message: string | null;
  readonly eta_seconds: number | null;
  readonly video_url: string | null;
  readonly thumbnail_url: string | null;
}

/** A refusal: a sentence to show, a code to act on. */
export class GemreelError extends Error {
  override name = "GemreelError";
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Seconds after which to try again, where the server says so. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

interface CallOptions {
  readonly body?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal | undefined;
}

/** supabase-js keeps the body of a refusal in the error's `context`; this brings it out. */
async function call<T>(
  client: SupabaseClient,
  path: string,
  { body, headers = {}, signal }: CallOptions = {},
): Promise<T> {
  const { data, error } = await client.functions.invoke<T>(path, {
    method: body === undefined ? "GET" : "POST",
    headers,
    // A connection may be gone without a word. The longest answer takes 25 s.
    timeout: 40_000,
    ...(body && { body }),
    ...(signal && { signal }),
  });
  if (error instanceof FunctionsHttpError) {
    const { status, headers } = error.context;
    const said = await error.context.json().catch(() => ({}));
    throw new GemreelError(
      status,
      said.code ?? "unknown",
      said.error ?? "Please try again",
      // A number of seconds from us; the platform's own answers may have a date, or nothing.
      Number.parseInt(headers.get("retry-after") ?? "") || null,
    );
  }
  if (error) throw error;
  if (data === null) throw new GemreelError(200, "unknown", "Please try again");
  return data;
}

/** The Start button. `tap` is a new UUID for each tap: a retry with the same one never charges twice. */
export async function startVideo(
  client: SupabaseClient,
  { childId, rhymeId, tap }: { childId: string; rhymeId: string; tap: string },
): Promise<string> {
  const { video_id } = await call<{ video_id: string }>(client, "queue-video", {
    headers: { "idempotency-key": tap },
    body: { child_id: childId, rhyme_id: rhymeId },
  });
  return video_id;
}

/** The Cancel button. Returns how many gems came back. */
export async function cancelVideo(client: SupabaseClient, videoId: string): Promise<number> {
  const answer = await call<{ gems_refunded: number }>(client, "cancel-video", {
    body: { video_id: videoId },
  });
  return answer.gems_refunded;
}

/** The Watch button, and a tapped notification: the state, with a link that works for an hour. */
export async function videoStatus(client: SupabaseClient, videoId: string): Promise<VideoStatus> {
  const { videos: [video] } = await call<{ videos: [VideoStatus] }>(
    client,
    `video-status?video_id=${videoId}`,
  );
  return video;
}

/**
 * The progress screen: calls `onVideo` with each state until the video has ended. "Continue in
 * background" aborts `signal`: the video goes on. A lost connection is tried again. Throws GemreelError
 * with status 404 once the video is deleted.
 */
export async function followVideo(
  client: SupabaseClient,
  videoId: string,
  { onVideo, signal }: { onVideo: (video: VideoStatus) => void; signal?: AbortSignal },
): Promise<void> {
  for (let rev = 0; !signal?.aborted;) {
    let video: VideoStatus | undefined;
    try {
      const { videos } = await call<{ videos: [VideoStatus?] }>(
        client,
        `video-status?video_id=${videoId}&rev=${rev}&wait=25`,
        { signal },
      );
      video = videos[0];
    } catch (error) {
      // What the server refuses is final; a 5xx or a lost connection is not.
      if (signal?.aborted) return;
      if (error instanceof GemreelError && error.status < 500) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      continue;
    }
    // Deleted while we waited: asked again, the server would say so, too.
    if (!video) throw new GemreelError(404, "not_found", "There is no such video");
    const isNew = video.rev > rev;
    rev = video.rev;
    if (isNew) onVideo(video);
    if (["completed", "failed", "cancelled"].includes(video.status)) return;
  }
}

/** What the app's screens show, and what it keeps on the device between two runs. */
export interface Kept {
  videos: Map<string, Video>;
  /** Ids of videos that were deleted in this run. */
  deleted: Set<string>;
  /** Of the last sync. */
  rev: string | null;
  /** How often videos_since was asked in this run. */
  asked: number;
}

/** What an app knows when it starts for the first time. Save `videos` and `rev` for the next run. */
export function nothing(): Kept {
  return { videos: new Map(), deleted: new Set(), rev: null, asked: 0 };
}

/** What a gallery shows, newest first. */
export function newestFirst({ videos }: Kept): Video[] {
  // All sources write a moment alike, in UTC, so that it is compared as text. A Date has no microseconds.
  const key = ({ created_at, id }: Video) => `${created_at} ${id}`;
  return [...videos.values()].sort((a, b) => key(a) < key(b) ? 1 : -1);
}

/** An answer of videos_since. */
export interface News {
  /** Forget what was known before: this is not what changed, but what there is. */
  readonly reset: boolean;
  readonly rev: string;
  readonly videos: readonly Video[];
  readonly deleted: readonly string[];
}

/** Takes a state in, unless it is older than what is shown or the video was deleted. */
export function keep(kept: Kept, video: Video): void {
  const shown = kept.videos.get(video.id);
  if (kept.deleted.has(video.id) || (shown && shown.rev >= video.rev)) return;
  kept.videos.set(video.id, video);
}

/** A deleted video stays away, whatever arrives late. */
export function remove(kept: Kept, id: string): void {
  kept.deleted.add(id);
  kept.videos.delete(id);
}

/** Call it before you ask videos_since; the function it returns takes the answer in. */
export function catchUp(kept: Kept): (news: News) => void {
  const before = new Map(kept.videos);
  const question = ++kept.asked;
  return ({ reset, rev, videos, deleted }) => {
    // Asked again meanwhile: the later answer holds all of this one and more.
    if (question !== kept.asked) return;
    for (const [id, video] of reset ? before : []) {
      // What arrived since the question may be newer than the answer, and stays.
      if (kept.videos.get(id) === video) kept.videos.delete(id);
    }
    for (const video of videos) keep(kept, video);
    for (const id of deleted) remove(kept, id);
    kept.rev = rev;
  };
}

/**
 * Background sync: everything that changed since the last one, finished and deleted videos too. Call it
 * when the app comes to the foreground, from the system's background task, and after each (re)connect.
 */
export async function sync(client: SupabaseClient, kept: Kept): Promise<void> {
  const take = catchUp(kept);
  const { data, error } = await client.rpc("videos_since", {
    ...(kept.rev !== null && { p_rev: kept.rev }),
  });
  if (error) throw error;
  take(data);
}

/**
 * Live updates of all the user's videos while the app is open. Returns a function that stops them. Once for
 * the whole app: supabase-js has one channel of a name, and a second listener would hear nothing.
 */
export async function listen(
  client: SupabaseClient,
  { userId, kept, onChange }: { userId: string; kept: Kept; onChange: () => void },
): Promise<() => Promise<unknown>> {
  await client.realtime.setAuth();
  const channel = client.channel(`user:${userId}`, { config: { private: true } })
    .on("broadcast", { event: "video_updated" }, ({ payload }) => {
      keep(kept, payload as Video);
      onChange();
    })
    .on("broadcast", { event: "video_deleted" }, ({ payload }) => {
      remove(kept, payload["id"]);
      onChange();
    })
    // What changed while the socket was away.
    .subscribe((status) => {
      if (status === "SUBSCRIBED") void sync(client, kept).then(onChange, () => {});
    });
  return () => client.removeChannel(channel);
}
