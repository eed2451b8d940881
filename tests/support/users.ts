import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { Stack } from "../../local/stack.ts";

/** Somebody who is signed in. */
export interface TestUser {
  readonly id: string;
  readonly email: string;
  readonly client: SupabaseClient;
  /** The access token. */
  readonly token: string;
}

const IN_MEMORY = { auth: { persistSession: false, autoRefreshToken: false } };

/** A client that nobody is signed in to. */
export function anonymousClient(stack: Stack): SupabaseClient {
  return createClient(stack.supabaseUrl, stack.publishableKey, IN_MEMORY);
}

/** A client with the secret key. */
export function adminClient(stack: Stack): SupabaseClient {
  return createClient(stack.supabaseUrl, stack.secretKey, IN_MEMORY);
}

/** Signs a new user up. */
export async function signUp(stack: Stack): Promise<TestUser> {
  const client = anonymousClient(stack);
  const email = `user-${crypto.randomUUID().slice(0, 8)}@example.com`;
  const { data, error } = await client.auth.signUp({ email, password: "correct horse" });
  if (error || !data.session) throw new Error(`Sign-up failed: ${error?.message}`);
  return { id: data.session.user.id, email, client, token: data.session.access_token };
}
