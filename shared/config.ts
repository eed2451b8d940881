/**
 * Configuration from the environment, checked when first used. A missing or wrong value is an error
 * that names the variable, so a function that lacks a secret refuses to start instead of running open.
 */
import type { Env } from "./runtime.ts";

/** A variable is missing or can not be used. The message names it and never holds its value. */
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

/** A parser's own error would quote the text, which is a secret. */
function parseJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError(name, "is not valid JSON");
  }
}

/** How to reach Runware. */
export interface RunwareConfig {
  readonly apiKey: string;
  readonly url: string;
  /** Hosts (with port where it is not the scheme's own) that finished files may be fetched from. */
  readonly mediaHosts?: readonly string[];
}

/** Runware's key and address. A loopback address is a sandbox, which serves its files itself. */
export function runwareConfig(env: Env): RunwareConfig {
  const url = needUrl("RUNWARE_URL", env("RUNWARE_URL") ?? "https://api.runware.ai/v1");
  const config = { apiKey: need(env, "RUNWARE_API_KEY"), url: url.href };
  return isLoopback(url) ? { ...config, mediaHosts: [url.host] } : config;
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
 * RUNWARE_WEBHOOK_SECRET (at least 32 characters), RUNWARE_WEBHOOK_SECRET_PREVIOUS while rotating,
 * and WEBHOOK_BASE_URL: the functions' address where it differs from SUPABASE_URL, or "off".
 */
export function webhookConfig(env: Env): WebhookConfig {
  const secret = checkedSecret("RUNWARE_WEBHOOK_SECRET", need(env, "RUNWARE_WEBHOOK_SECRET"));
  const previous = env("RUNWARE_WEBHOOK_SECRET_PREVIOUS");
  const secrets: [string, ...string[]] = previous === undefined
    ? [secret]
    : [secret, checkedSecret("RUNWARE_WEBHOOK_SECRET_PREVIOUS", previous)];
  const base = env("WEBHOOK_BASE_URL") ??
    `${needUrl("SUPABASE_URL", need(env, "SUPABASE_URL")).origin}/functions/v1`;
  if (base === "off") return { secrets };
  return { secrets, baseUrl: needUrl("WEBHOOK_BASE_URL", base).href.replace(/\/$/, "") };
}

function checkedSecret(name: string, value: string): string {
  if (value.length < 32) throw new ConfigError(name, "is shorter than 32 characters");
  return value;
}

/** Hosts an avatar_url may point to (AVATAR_HOSTS, comma separated); by default the project's own. */
export function avatarHosts(env: Env): readonly string[] {
  const hosts = env("AVATAR_HOSTS") ??
    needUrl("SUPABASE_URL", need(env, "SUPABASE_URL")).hostname;
  return hosts.split(",").map((host) => host.trim().toLowerCase()).filter((host) => host !== "");
}
