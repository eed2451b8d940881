/** `deno task status [--json]`: what a client needs to know about the running stack. */
import { taskArguments } from "./arguments.ts";
import { localDataDir, taskCommand } from "./env.ts";
import { readState } from "./state.ts";

const asJson = taskArguments("status", ["--json"]).includes("--json");
const state = await readState(localDataDir());
if (!state) {
  console.error(`No stack is running; start one with "${taskCommand("dev")}"`);
  Deno.exit(1);
}

const variables = {
  SUPABASE_URL: state.supabaseUrl,
  SUPABASE_PUBLISHABLE_KEY: state.publishableKey,
  SUPABASE_SECRET_KEY: state.secretKey,
  CRON_SECRET_KEY: state.cronKey,
  DATABASE_URL: state.databaseUrl,
  ...Object.fromEntries(
    Object.entries(state.providers).flatMap(([prefix, { url, controlUrl }]) => [
      [`${prefix}_URL`, url],
      [`${prefix}_CONTROL_URL`, controlUrl],
    ]),
  ),
  ...(state.notifyControlUrl && { NOTIFY_CONTROL_URL: state.notifyControlUrl }),
};

if (asJson) console.log(JSON.stringify(variables, null, 2));
else for (const [name, value] of Object.entries(variables)) console.log(`${name}=${value}`);
