import { assertEquals, assertThrows } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import denoConfig from "../../deno.json" with { type: "json" };
import { ROOT } from "../../local/env.ts";
import {
  ConfigError,
  databaseUrl,
  imageHosts,
  kieWebhookKey,
  providerConfig,
  supabaseConfig,
  webhookConfig,
} from "../../shared/config.ts";
import { tlsFor } from "../../shared/db/database.ts";
import { versions } from "../../shared/version.ts";

const from = (values: Record<string, string>) => (name: string) => values[name];
const base = { SUPABASE_URL: "https://ref.supabase.co" };
const secret = "s".repeat(32);

Deno.test("F14 without its secret, or with a short one, the webhook has no configuration at all", () => {
  assertThrows(() => webhookConfig(from(base)), ConfigError, "PROVIDER_WEBHOOK_SECRET is not set");
  assertThrows(
    () => webhookConfig(from({ ...base, PROVIDER_WEBHOOK_SECRET: "short" })),
    ConfigError,
    "shorter than 32",
  );
});

Deno.test("webhooks go to the project's functions, elsewhere, or nowhere", () => {
  const config = (more: Record<string, string>) =>
    webhookConfig(from({ ...base, PROVIDER_WEBHOOK_SECRET: secret, ...more })).baseUrl;
  assertEquals(config({}), "https://ref.supabase.co/functions/v1");
  assertEquals(config({ WEBHOOK_BASE_URL: "https://x.example/f/" }), "https://x.example/f");
  assertEquals(config({ WEBHOOK_BASE_URL: "off" }), undefined);
});

Deno.test("while a secret is replaced both are accepted and the new one signs", () => {
  const config = webhookConfig(from({
    ...base,
    PROVIDER_WEBHOOK_SECRET: "n".repeat(32),
    PROVIDER_WEBHOOK_SECRET_PREVIOUS: secret,
  }));
  assertEquals(config.secrets, ["n".repeat(32), secret]);
});

Deno.test("KIE's webhook key may be absent, but not short", () => {
  assertEquals(kieWebhookKey(from({})), undefined);
  assertEquals(kieWebhookKey(from({ KIE_WEBHOOK_HMAC_KEY: secret })), secret);
  assertThrows(
    () => kieWebhookKey(from({ KIE_WEBHOOK_HMAC_KEY: "copied in part" })),
    ConfigError,
    "KIE_WEBHOOK_HMAC_KEY is shorter than 16 characters",
  );
});

Deno.test("a sandbox serves its own files; a real provider keeps the adapter's address and hosts", () => {
  const config = (more: Record<string, string>) =>
    providerConfig(from({ RUNWAY_API_KEY: "k", ...more }), "RUNWAY");
  assertEquals(config({}), { apiKey: "k" });
  assertEquals(config({ RUNWAY_URL: "https://proxy.example/" }), {
    apiKey: "k",
    url: "https://proxy.example/",
  });
  assertEquals(config({ RUNWAY_URL: "http://127.0.0.1:54341" })?.mediaHosts, ["127.0.0.1:54341"]);
  assertEquals(config({ RUNWAY_MEDIA_HOSTS: "a.example, B.example" })?.mediaHosts, [
    "a.example",
    "b.example",
  ]);
  assertThrows(() => config({ RUNWAY_URL: "nowhere" }), ConfigError, "RUNWAY_URL is not a URL");
});

Deno.test("a provider without a key is switched off", () => {
  assertEquals(providerConfig(from({ RUNWAY_URL: "http://127.0.0.1:1" }), "RUNWAY"), undefined);
});

Deno.test("a configuration error names the variable and never shows its value", () => {
  const broken = from({ ...base, SUPABASE_SECRET_KEYS: '{"cron": "sb_secret_hidden"}' });
  const error = assertThrows(() => supabaseConfig(broken), ConfigError, "SUPABASE_SECRET_KEYS");
  assertEquals(String(error).includes("hidden"), false);
});

Deno.test("frames come from the listed hosts, by default from the project itself", () => {
  assertEquals(imageHosts(from(base)), ["ref.supabase.co"]);
  assertEquals(imageHosts(from({ IMAGE_HOSTS: " A.example.com, b.example.com ," })), [
    "a.example.com",
    "b.example.com",
  ]);
});

Deno.test("the versions that health tells are the newest of the changelog and the pinned one", async () => {
  const changelog = await Deno.readTextFile(join(ROOT, "CHANGELOG.md"));
  assertEquals(versions.gemreel, /^## (\S+)/m.exec(changelog)?.[1]);
  assertEquals(`npm:pg-boss@${versions.pgboss}`, denoConfig.imports["pg-boss"]);
});

Deno.test("the database is spoken to in TLS where it is named by a domain", () => {
  const url = (host: string) => `postgres://u:p@${host}:5432/postgres`;
  const tls = tlsFor(url("db.ref.supabase.co"));
  assertEquals(tls && tls.rejectUnauthorized, false);
  assertEquals(
    tls && tls.ca.map((pem) => new X509Certificate(pem)).map(({ ca, subject }) => [
      ca,
      subject.split("\n").at(-1),
    ]),
    [[true, "CN=Supabase Root 2021 CA"], [true, "CN=Supabase Root 2021 CA"]],
  );
  for (const near of ["127.0.0.1", "localhost", "db", "10.0.0.5"]) {
    assertEquals(tlsFor(url(near)), false, near);
  }
});

Deno.test("workers may be pointed at a pooler", () => {
  assertEquals(databaseUrl(from({ SUPABASE_DB_URL: "a" })), "a");
  assertEquals(databaseUrl(from({ SUPABASE_DB_URL: "a", WORKER_DATABASE_URL: "b" })), "b");
});
