/**
 * Configuration from the environment, checked when first used. A missing or wrong value is an error
 * that names the variable, so a function that lacks a secret refuses to start instead of running open.
 */
import type { Env } from "./runtime.ts";

/** A variable is missing or cannot be used. The message names it and never holds its value. */
export class ConfigError extends Error {
  override name = "ConfigError";
  constructor(readonly variable: string, problem: string) {
    super(`${variable} ${problem}`);
  }
}

function need(env: Env, name: string): string {
  const value = env(name);
  if (value === undefined) throw new ConfigError(name, "is not set");
  return value;
}

function needUrl(name: string, value: string): URL {
  if (!URL.canParse(value)) throw new ConfigError(name, "is not a URL");
  return new URL(value);
}

/**
 * Connection string of the database, for workers: WORKER_DATABASE_URL (a transaction pooler, say), or
 * SUPABASE_DB_URL, which hosted functions get by themselves.
 */
export function databaseUrl(env: Env): string {
  return env("WORKER_DATABASE_URL") ?? need(env, "SUPABASE_DB_URL");
}

/** Where the project lives, and a secret key for Storage and rpc. */
export interface SupabaseConfig {
  readonly url: string;
  readonly secretKey: string;
}

/** The project's URL and its default secret key (SUPABASE_SECRET_KEYS, JSON by name). */
export function supabaseConfig(env: Env): SupabaseConfig {
  const keys = parseJson("SUPABASE_SECRET_KEYS", need(env, "SUPABASE_SECRET_KEYS"));
  const secretKey = typeof keys === "object" && keys !== null && "default" in keys
    ? keys.default
    : undefined;
  if (typeof secretKey !== "string") {
    throw new ConfigError("SUPABASE_SECRET_KEYS", 'has no key named "default"');
  }
  return { url: needUrl("SUPABASE_URL", need(env, "SUPABASE_URL")).origin, secretKey };
}

/** Headers of a call as the service role. */
export function secretHeaders(secretKey: string) {
  return { apikey: secretKey, authorization: `Bearer ${secretKey}` };
}

/** A parser's own error would quote the text, which is a secret. */
function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError(name, "is not valid JSON");
  }
}

/** How to reach a provider's API; what is absent has a default in its adapter. */
export interface ProviderConfig {
  readonly apiKey: string;
  readonly url?: string;
  /** Hosts (with port where it is not the scheme's own) that finished files may be fetched from. */
  readonly mediaHosts?: readonly string[];
}

/** The characters of a bearer token (RFC 6750): none of them is escaped in JSON or breaks a header. */
const BEARER = /^[A-Za-z0-9._~+/=-]+$/;

/** Why an API key cannot be sent as a bearer token, without quoting it; undefined where it can. */
export function apiKeyProblem(apiKey: string): string | undefined {
  return BEARER.test(apiKey) ? undefined : "must be letters, digits and -._~+/= only";
}

/**
 * `<PREFIX>_API_KEY`, without which a provider is switched off (undefined), `<PREFIX>_URL`, and
 * `<PREFIX>_MEDIA_HOSTS` (comma separated) should a provider move its files. A loopback address is a
 * sandbox, which serves its files itself.
 */
export function providerConfig(env: Env, prefix: string): ProviderConfig | undefined {
  const apiKey = env(`${prefix}_API_KEY`);
  if (apiKey === undefined) return undefined;
  const problem = apiKeyProblem(apiKey);
  if (problem !== undefined) throw new ConfigError(`${prefix}_API_KEY`, problem);
  const address = env(`${prefix}_URL`);
  const url = address === undefined ? undefined : needUrl(`${prefix}_URL`, address);
  const listed = env(`${prefix}_MEDIA_HOSTS`);
  const own = url !== undefined && isLoopback(url) ? [url.host] : undefined;
  const mediaHosts = listed === undefined ? own : hostList(listed);
  return {
    apiKey,
    ...(url === undefined ? {} : { url: url.href }),
    ...(mediaHosts === undefined ? {} : { mediaHosts }),
  };
}

/** Whether a URL points at this machine. */
export function isLoopback(url: URL): boolean {
  return url.hostname === "localhost" || url.hostname === "127.0.0.1" || url.hostname === "[::1]";
}

/** What webhooks are signed and checked with. */
export interface WebhookConfig {
  /** The first signs; all are accepted, so that a secret can be replaced without losing a webhook. */
  readonly secrets: readonly [string, ...string[]];
  /** Base URL that providers can reach us at; absent: no webhooks, polling only. */
  readonly baseUrl?: string;
}

/**
 * PROVIDER_WEBHOOK_SECRET (at least 32 characters), PROVIDER_WEBHOOK_SECRET_PREVIOUS while rotating,
 * and WEBHOOK_BASE_URL: the functions' address where it differs from SUPABASE_URL, or "off".
 */
export function webhookConfig(env: Env): WebhookConfig {
  const secret = checkedSecret("PROVIDER_WEBHOOK_SECRET", need(env, "PROVIDER_WEBHOOK_SECRET"));
  const previous = env("PROVIDER_WEBHOOK_SECRET_PREVIOUS");
  const secrets: [string, ...string[]] = previous === undefined
    ? [secret]
    : [secret, checkedSecret("PROVIDER_WEBHOOK_SECRET_PREVIOUS", previous)];
  const base = env("WEBHOOK_BASE_URL") ??
    `${needUrl("SUPABASE_URL", need(env, "SUPABASE_URL")).origin}/functions/v1`;
  if (base === "off") return { secrets };
  return { secrets, baseUrl: needUrl("WEBHOOK_BASE_URL", base).href.replace(/\/$/, "") };
}

/**
 * KIE_WEBHOOK_HMAC_KEY (at least 16 characters): the webhook key of KIE's console, which makes it
 * itself. Undefined where there is none: then callbacks need not be signed.
 */
export function kieWebhookKey(env: Env): string | undefined {
  const key = env("KIE_WEBHOOK_HMAC_KEY");
  return key === undefined ? undefined : checkedSecret("KIE_WEBHOOK_HMAC_KEY", key, 16);
}

function checkedSecret(name: string, value: string, least = 32): string {
  if (value.length < least) throw new ConfigError(name, `is shorter than ${least} characters`);
  return value;
}

/** Hosts first_frame and last_frame may point to (IMAGE_HOSTS); by default the project's own. */
export function imageHosts(env: Env): readonly string[] {
  const hosts = env("IMAGE_HOSTS") ?? needUrl("SUPABASE_URL", need(env, "SUPABASE_URL")).hostname;
  return hostList(hosts);
}

/** The hosts of a comma separated list, in lower case. */
export function hostList(text: string): string[] {
  return text.split(",").map((host) => host.trim().toLowerCase()).filter((host) => host !== "");
}

/** A moderation service beside the built-in word list: where it is, and what it knows us by. */
export interface ModerationConfig {
  readonly url: string;
  /** Sent as a bearer token. */
  readonly key?: string;
}

/** MODERATION_URL (https, or this machine) and MODERATION_KEY; undefined where no service is used. */
export function moderationConfig(env: Env): ModerationConfig | undefined {
  const address = env("MODERATION_URL");
  if (address === undefined) return undefined;
  const url = needUrl("MODERATION_URL", address);
  if (url.protocol !== "https:" && !isLoopback(url)) {
    throw new ConfigError("MODERATION_URL", "is not https");
  }
  const key = env("MODERATION_KEY");
  return key === undefined ? { url: url.href } : { url: url.href, key };
}
