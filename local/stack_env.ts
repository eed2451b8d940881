import { publicJwks, type StackKeys } from "./keys.ts";
import type { RunwareChoice } from "./runware_choice.ts";
import type { StackOptions } from "./stack_options.ts";

/** Variables of the developer that functions are meant to see; the rest of the environment is not theirs. */
const DEVELOPERS_OWN = /^(AVATAR_HOSTS|LOG_LEVEL|RUNWARE_|RUNWAYML_|KIE_|WEBHOOK_BASE_URL)/;

/** The environment of the functions, under the names hosted Supabase uses. */
export function functionsEnv({ options, env, keys, runware, databaseUrl, url }: {
  readonly options: StackOptions;
  readonly env: Readonly<Record<string, string>>;
  readonly keys: StackKeys;
  readonly runware: RunwareChoice;
  readonly databaseUrl: string;
  readonly url: string;
}): Record<string, string> {
  const own = Object.entries(env).filter(([name]) => DEVELOPERS_OWN.test(name));
  const webhooks = options.webhooks !== "off" && runware.canReachUs;
  return {
    AVATAR_HOSTS: "avatars.example.com",
    RUNWARE_WEBHOOK_SECRET: keys.webhookSecret,
    WEBHOOK_BASE_URL: webhooks ? `${url}/functions/v1` : "off",
    ...Object.fromEntries(own),
    SUPABASE_URL: url,
    SUPABASE_DB_URL: databaseUrl,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret, cron: keys.cron }),
    SUPABASE_JWKS: JSON.stringify(publicJwks(keys)),
    RUNWARE_API_KEY: runware.apiKey,
    RUNWARE_URL: runware.url,
    ...options.functionsEnv,
  };
}
