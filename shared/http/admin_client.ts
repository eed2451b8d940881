/**
 * The service role's client of the REST API. supabase-js has the same one inside, but takes longer to
 * load than all the rest of a function, on each cold start.
 */
import { PostgrestClient } from "@supabase/postgrest-js";
import { secretHeaders, supabaseConfig } from "../config.ts";
import type { Database } from "../db/database.types.ts";
import { env } from "../runtime.ts";
import { fetchInTime } from "./fetch_in_time.ts";

/** REST client with a secret key: the service role. */
export type AdminClient = PostgrestClient<Database>;

let made: AdminClient | undefined;

/** The service role's client. One per isolate, made on first use. Throws ConfigError. */
export function adminClient(): AdminClient {
  if (made === undefined) {
    const { url, secretKey } = supabaseConfig(env);
    made = new PostgrestClient<Database>(`${url}/rest/v1`, {
      headers: secretHeaders(secretKey),
      fetch: fetchInTime,
      // Its own retries of what can be read again would each have the whole time.
      retry: false,
    });
  }
  return made;
}
