/** Links to private files, over plain fetch. */
import { z } from "zod";
import { secretHeaders, supabaseConfig } from "../config.ts";
import { fetchInTime } from "../http/fetch_in_time.ts";
import { env } from "../runtime.ts";
import { StorageError } from "./object_store.ts";

const signed = z.array(z.object({ path: z.string().nullish(), signedURL: z.string().nullish() }));

/**
 * A link that lives so many seconds for each of these files of the bucket; files that are not there
 * are left out. `timeoutMs`: how long Storage may take, where a caller's usual patience is too
 * much. Throws where Storage does not answer, StorageError where it refuses.
 */
export async function signLinks(
  bucket: string,
  paths: readonly string[],
  { seconds, timeoutMs }: { readonly seconds: number; readonly timeoutMs?: number },
): Promise<Map<string, string>> {
  const { url, secretKey } = supabaseConfig(env);
  const response = await fetchInTime(`${url}/storage/v1/object/sign/${bucket}`, {
    method: "POST",
    headers: {
      ...secretHeaders(secretKey),
      "content-type": "application/json",
    },
    body: JSON.stringify({ expiresIn: seconds, paths }),
    ...(timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new StorageError(response.status, `Storage answered ${response.status}`);
  }
  const links = signed.parse(await response.json());
  return new Map(
    links.flatMap(({ path, signedURL }) =>
      path && signedURL ? [[path, `${url}/storage/v1${signedURL}`] as const] : []
    ),
  );
}
