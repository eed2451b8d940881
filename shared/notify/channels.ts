/** The channels of a deployment. */
import type { Env } from "../runtime.ts";
import type { Channel, ChannelName, Channels } from "./channel.ts";
import { appWebhookConfig, fcmConfig, webPushConfig } from "./config.ts";
import { fcmChannel } from "./fcm.ts";
import { webhookChannel } from "./webhook.ts";
import { webPushChannel } from "./web_push.ts";

/** Those that the environment has all for. Throws ConfigError for what cannot be used. */
export function createChannels(env: Env): Channels {
  const channels = new Map<ChannelName, Channel>();
  const fcm = fcmConfig(env);
  if (fcm !== undefined) channels.set("fcm", fcmChannel(fcm));
  const webPush = webPushConfig(env);
  if (webPush !== undefined) channels.set("web_push", webPushChannel(webPush));
  const webhook = appWebhookConfig(env);
  if (webhook !== undefined) channels.set("webhook", webhookChannel(webhook));
  return channels;
}
