/** Apps that wait for a video each, half of them by a stream of events and half by long polls. */
import { z } from "zod";
import { flood } from "../bench.ts";
import { eventsOf } from "../../support/events.ts";
import type { Site } from "./sites.ts";

/** A video, and the token of whoever waits for it. */
export interface Watched {
  readonly videoId: string;
  readonly token: string;
}

/** Apps that wait. */
export interface Waiting {
  /**
   * When each app was told that its video is completed, with a link to it, by id (performance.now).
   * Rejects when an app was told something else, or nothing within the patience.
   */
  readonly told: Promise<ReadonlyMap<string, number>>;
}

/** How many of them connect at once: how fast they come is not what is measured. */
const CONNECTING = 16;

/** Lets an app wait for each of these videos. Resolves when all have been told where theirs stands. */
export async function waitForAll(
  site: Site,
  watched: readonly Watched[],
  { patienceMs }: { readonly patienceMs: number },
): Promise<Waiting> {
  const end = new AbortController();
  const told = new Map<string, number>();
  const apps: Promise<void>[] = [];
  const wait = async (n: number, ready: () => void) => {
    const one = watched[n] ?? { videoId: "", token: "" };
    for await (const state of n % 2 === 0 ? streamed(site, one, end) : asked(site, one, end)) {
      ready();
      if (state.status === "rendering") continue;
      if (state.status !== "completed" || state.video_url === null) {
        throw new Error(`An app was told ${JSON.stringify(state)}, with no link to watch`);
      }
      told.set(one.videoId, performance.now());
      return;
    }
    throw new Error(`What an app waited for ended before its video "${one.videoId}" did`);
  };
  const timer = setTimeout(() => {
    end.abort(
      new Error(`${watched.length - told.size} apps were told nothing for ${patienceMs} ms`),
    );
  }, patienceMs);
  await flood({ times: watched.length, inFlight: CONNECTING }, async (n) => {
    const ready = Promise.withResolvers<void>();
    const app = wait(n, ready.resolve);
    apps.push(app);
    await Promise.race([ready.promise, app]);
  });
  const all = Promise.all(apps).then(() => told).finally(() => {
    clearTimeout(timer);
    end.abort();
  });
  // Whoever asks learns of it; until then it is nobody's fault.
  all.catch(() => {});
  return { told: all };
}

const video = z.object({ status: z.string(), rev: z.number(), video_url: z.string().nullable() });
const polled = z.object({ videos: z.tuple([video]) });

/** States as events bring them. */
async function* streamed(site: Site, watched: Watched, { signal }: AbortController) {
  const headers = { ...headersOf(site, watched), accept: "text/event-stream" };
  const response = await fetch(urlOf(site, watched), { headers, signal });
  if (!response.ok) await bodyOf(response);
  for await (const { event, data } of eventsOf(response)) {
    if (event === "video") yield video.parse(data);
  }
}

/** States as long polls bring them, each asked for when the one before is there. */
async function* asked(site: Site, watched: Watched, { signal }: AbortController) {
  const headers = headersOf(site, watched);
  for (let rev = 0;;) {
    const url = `${urlOf(site, watched)}&wait=100&rev=${rev}`;
    const response = await fetch(url, { headers, signal });
    const [state] = polled.parse(await bodyOf(response)).videos;
    if (state.rev > rev) yield state;
    rev = state.rev;
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  throw new Error(`video-status answered ${response.status}: ${text}`);
}

function urlOf({ stack }: Site, { videoId }: Watched): string {
  return `${stack.supabaseUrl}/functions/v1/video-status?video_id=${videoId}`;
}

function headersOf({ stack }: Site, { token }: Watched): Record<string, string> {
  return { apikey: stack.publishableKey, authorization: `Bearer ${token}` };
}
