/** Links to private files. */
import { z } from "zod";
import { supabaseConfig } from "../config.ts";
import { env } from "../runtime.ts";
import { askStorage } from "./storage_request.ts";

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
  const project = supabaseConfig(env);
  const answer = await askStorage(project, {
    method: "POST",
    path: `sign/${bucket}`,
    body: { expiresIn: seconds, paths },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const links = signed.parse(answer);
  return new Map(
    links.flatMap(({ path, signedURL }) =>
      path && signedURL ? [[path, `${project.url}/storage/v1${signedURL}`] as const] : []
    ),
  );
}
