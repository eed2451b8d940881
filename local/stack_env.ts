import * as known from "../shared/providers/known.ts";
import { publicJwks, type StackKeys } from "./keys.ts";
import { type ProviderChoices, providersEnv, usesSandboxesOnly } from "./sandboxes.ts";
import { notifyEnv } from "./notify_choice.ts";
import type { NotifySandbox } from "./sandbox/notify.ts";
import type { StackOptions } from "./stack_options.ts";

/**
 * How variables of the developer begin that functions are meant to see; the rest of the environment
 * is not theirs.
 */
const DEVELOPERS_OWN = [
  ...Object.keys(known).map((provider) => `${provider.toUpperCase()}_`),
  ...["PROVIDER_WEBHOOK_", "WEBHOOK_BASE_URL"],
  ...["FCM_", "WEB_PUSH_", "APP_WEBHOOK_", "MODERATION_", "IMAGE_HOSTS"],
];

/** The environment of the functions, under the names hosted Supabase uses. */
export function functionsEnv({ options, env, keys, providers, notify, databaseUrl, url }: {
  readonly options: StackOptions;
  readonly env: Readonly<Record<string, string>>;
  readonly keys: StackKeys;
  readonly providers: ProviderChoices;
  readonly notify: NotifySandbox | null;
  readonly databaseUrl: string;
  readonly url: string;
}): Record<string, string> {
  const own = Object.entries(env)
    .filter(([name]) => DEVELOPERS_OWN.some((start) => name.startsWith(start)));
  const webhooks = options.webhooks !== "off" && usesSandboxesOnly(providers);
  return {
    PROVIDER_WEBHOOK_SECRET: keys.webhookSecret,
    IMAGE_HOSTS: "images.example.com",
    WEBHOOK_BASE_URL: webhooks ? `${url}/functions/v1` : "off",
    ...notifyEnv(notify, env),
    ...Object.fromEntries(own),
    SUPABASE_URL: url,
    SUPABASE_DB_URL: databaseUrl,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret, cron: keys.cron }),
    SUPABASE_JWKS: JSON.stringify(publicJwks(keys)),
    ...providersEnv(providers),
    ...options.functionsEnv,
  };
}
