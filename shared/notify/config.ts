/** Which channels are set up, from the environment. What is there but wrong stops the function's start. */
import { Buffer } from "node:buffer";
import { z } from "zod";
import { ConfigError, hostList, isLoopback } from "../config.ts";
import type { Env } from "../runtime.ts";
import type { FcmOptions } from "./fcm.ts";
import type { AppWebhookOptions } from "./webhook.ts";
import {
  PUSH_HOSTS,
  vapidAuthorization,
  type VapidSettings,
  type WebPushOptions,
} from "./web_push.ts";

const serviceAccount = z.object({
  project_id: z.string().regex(/^[a-z0-9:.-]+$/),
  client_email: z.string().min(3),
  private_key: z.string().includes("PRIVATE KEY"),
  token_uri: z.string(),
});

/** FCM_SERVICE_ACCOUNT (the key file's JSON), and FCM_URL for another place than Google's. */
export function fcmConfig(env: Env): FcmOptions | undefined {
  const text = env("FCM_SERVICE_ACCOUNT");
  if (text === undefined) return undefined;
  let account;
  try {
    account = serviceAccount.parse(JSON.parse(text));
  } catch {
    // Neither a parser's words nor a schema's: they would quote the key.
    throw new ConfigError("FCM_SERVICE_ACCOUNT", "is not the JSON of a service account's key");
  }
  const url = env("FCM_URL");
  needTarget("FCM_SERVICE_ACCOUNT", account.token_uri);
  return { account, ...(url === undefined ? {} : { url: needTarget("FCM_URL", url) }) };
}

/**
 * WEB_PUSH_PUBLIC_KEY, WEB_PUSH_PRIVATE_KEY (VAPID) and WEB_PUSH_SUBJECT; WEB_PUSH_HOSTS adds push
 * services to the well-known ones, comma separated.
 */
export function webPushConfig(env: Env): WebPushOptions | undefined {
  if (env("WEB_PUSH_PRIVATE_KEY") === undefined && env("WEB_PUSH_PUBLIC_KEY") === undefined) {
    return undefined;
  }
  const vapid = {
    publicKey: need(env, "WEB_PUSH_PUBLIC_KEY", /^[\w-]{87}$/, "is not a VAPID key"),
    privateKey: need(env, "WEB_PUSH_PRIVATE_KEY", /^[\w-]{43}$/, "is not a VAPID key"),
    subject: need(env, "WEB_PUSH_SUBJECT", /^(mailto:|https:\/\/)./, "is no mailto: or https:"),
  };
  checkVapid(vapid);
  return { ...vapid, hosts: [...PUSH_HOSTS, ...hostList(env("WEB_PUSH_HOSTS") ?? "")] };
}

/** Signs once on trial, so that wrong settings show at the start and not with each message. */
function checkVapid(vapid: VapidSettings): void {
  if (!URL.canParse(vapid.subject)) throw new ConfigError("WEB_PUSH_SUBJECT", "is not a URL");
  try {
    vapidAuthorization("https://push.example", vapid);
  } catch {
    // The subject and the public key have the right shape by now: it is the private key that fails.
    throw new ConfigError("WEB_PUSH_PRIVATE_KEY", "is not a VAPID key");
  }
}

/**
 * APP_WEBHOOK_URL and APP_WEBHOOK_SECRET (`whsec_` and base64 of 24 to 64 bytes);
 * APP_WEBHOOK_SECRET_PREVIOUS signs too while the receiver changes over.
 */
export function appWebhookConfig(env: Env): AppWebhookOptions | undefined {
  const url = env("APP_WEBHOOK_URL");
  if (url === undefined) return undefined;
  const secret = signingKey("APP_WEBHOOK_SECRET", env("APP_WEBHOOK_SECRET") ?? "");
  const previous = env("APP_WEBHOOK_SECRET_PREVIOUS");
  return {
    url: needTarget("APP_WEBHOOK_URL", url),
    keys: previous === undefined
      ? [secret]
      : [secret, signingKey("APP_WEBHOOK_SECRET_PREVIOUS", previous)],
  };
}

function need(env: Env, name: string, shape: RegExp, problem: string): string {
  const value = env(name);
  if (value === undefined) throw new ConfigError(name, "is not set");
  if (!shape.test(value)) throw new ConfigError(name, problem);
  return value;
}

/** https, or this machine. */
function needTarget(name: string, address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined) throw new ConfigError(name, "is not a URL");
  if (url.protocol !== "https:" && !isLoopback(url)) throw new ConfigError(name, "is not https");
  return url.href;
}

function signingKey(name: string, secret: string): Uint8Array {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  const key = new Uint8Array(Buffer.from(base64 ?? "", "base64"));
  if (key.length < 24 || key.length > 64) {
    throw new ConfigError(name, 'is not "whsec_" and 24 to 64 bytes in base64');
  }
  return key;
}
