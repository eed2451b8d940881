/** `deno task status [--json]`: what a client needs to know about the running stack. */
import { join } from "node:path";
import { ROOT } from "./env.ts";
import { readState } from "./state.ts";

const state = await readState(join(ROOT, ".local"));
if (!state) {
  console.error('No stack is running; start one with "deno task dev"');
  Deno.exit(1);
}

const variables = {
  SUPABASE_URL: state.supabaseUrl,
  SUPABASE_PUBLISHABLE_KEY: state.publishableKey,
  SUPABASE_SECRET_KEY: state.secretKey,
  DATABASE_URL: state.databaseUrl,
  RUNWARE_URL: state.runwareUrl,
  RUNWARE_CONTROL_URL: state.runwareControlUrl,
};

if (Deno.args.includes("--json")) console.log(JSON.stringify(variables, null, 2));
else for (const [name, value] of Object.entries(variables)) console.log(`${name}=${value}`);
