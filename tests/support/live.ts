/** The app's side of Realtime, with the real client. */
import type { RealtimeChannel, SupabaseClient } from "@supabase/supabase-js";
import { z } from "zod";
import type { Stack } from "../../local/stack.ts";
import type { TestUser } from "./users.ts";

/** A channel, and all that came through it. */
export interface Listening {
  readonly channel: RealtimeChannel;
  /** Each status the client was told, in order: SUBSCRIBED, CHANNEL_ERROR, CLOSED, TIMED_OUT. */
  readonly statuses: string[];
  /** What the server said of the channel itself. */
  readonly reports: string[];
  /** Why joining failed. */
  readonly errors: string[];
}

const report = z.object({ message: z.string() });

/** Subscribes a channel and waits until the server has said yes. */
export async function subscribed(channel: RealtimeChannel): Promise<Listening> {
  const listening = await answered(channel);
  if (listening.statuses[0] === "SUBSCRIBED") return listening;
  throw new Error(`"${channel.topic}" was refused: ${listening.errors.join(", ")}`);
}

/** Subscribes a channel and waits until the server answered, with yes or no. */
export async function answered(channel: RealtimeChannel): Promise<Listening> {
  const first = Promise.withResolvers<void>();
  const listening: Listening = { channel, statuses: [], reports: [], errors: [] };
  channel
    .on("system", {}, (payload: unknown) => {
      listening.reports.push(report.parse(payload).message);
    })
    .subscribe((status, error) => {
      listening.statuses.push(status);
      if (error) listening.errors.push(error.message);
      first.resolve();
    });
  await first.promise;
  return listening;
}

/** A broadcast, as `on("broadcast")` hands it over. */
export const broadcast = z.object({
  event: z.string(),
  payload: z.record(z.string(), z.unknown()),
});

/** The user's own private topic. `heard` gets each message. */
export async function listenToOwn(
  user: TestUser,
  heard: (message: z.infer<typeof broadcast>) => void,
): Promise<Listening> {
  await user.client.realtime.setAuth();
  return await subscribed(
    user.client.channel(`user:${user.id}`, { config: { private: true } })
      .on("broadcast", { event: "*" }, (message) => heard(broadcast.parse(message))),
  );
}

/** Leaves all channels and closes the socket, so that the test leaves nothing behind. */
export async function hangUp(...clients: SupabaseClient[]): Promise<void> {
  for (const client of clients) {
    await client.removeAllChannels();
    await client.realtime.disconnect();
  }
}

/** Everything changed since the screen's rev, through the API. */
export async function videosSince(client: SupabaseClient, rev: string | null): Promise<unknown> {
  const { data, error } = await client.rpc("videos_since", rev === null ? {} : { p_rev: rev });
  if (error) throw new Error(error.message);
  return data;
}

/** The address of the stack's Realtime for a bare WebSocket. */
export function socketUrl(stack: Stack, apikey: string): string {
  const url = new URL("/realtime/v1/websocket", stack.supabaseUrl);
  url.search = new URLSearchParams({ apikey, vsn: "2.0.0" }).toString();
  return url.href;
}
