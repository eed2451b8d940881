/** The one thing we ask of Supabase Auth's admin API: that an account can no longer sign in. */
import { secretHeaders } from "./config.ts";

/** Supabase Auth, for closing accounts. */
export interface AuthAdmin {
  /**
   * Deletes the account with its sessions and identities. An account that is already gone counts as
   * deleted. Throws otherwise.
   */
  deleteUser(userId: string): Promise<void>;
}

/** An Auth that does not answer is asked again later. Milliseconds. */
const TIMEOUT_MS = 20_000;

/**
 * Auth at a Supabase project, with its secret key.
 * https://supabase.com/docs/reference/javascript/auth-admin-deleteuser
 */
export function createAuthAdmin({ url, secretKey }: { url: string; secretKey: string }): AuthAdmin {
  return {
    async deleteUser(userId) {
      const response = await fetch(`${url}/auth/v1/admin/users/${userId}`, {
        method: "DELETE",
        headers: secretHeaders(secretKey),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.body?.cancel();
      if (!response.ok && response.status !== 404) {
        throw new Error(`Auth answered ${response.status}`);
      }
    },
  };
}
