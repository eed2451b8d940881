/** Deleting the caller's account. */
import { z } from "zod";
import { readJson } from "../http/body.ts";
import type { UserVisit } from "../http/door.ts";
import { fromRpcError } from "../http/http_error.ts";
import type { DeletedAnswer } from "./answers.ts";

/** What the body must say, so that no stray call ends an account. */
const CONFIRMATION = "delete my account";

/** The body of delete-account. */
export const deleteAccountBody = z.strictObject({
  confirm: z.literal(CONFIRMATION),
});

const forgotten = z.object({ erasure_id: z.guid().nullable() });

/**
 * POST delete-account `{confirm: "delete my account"}`: 202. All rows are gone with the answer (of
 * very many videos, soon after); files and the sign-in follow within minutes. A repeated call
 * answers the same; `erasure_id` is null once everything is gone.
 */
export async function deleteAccount(
  request: Request,
  visit: UserVisit,
): Promise<Response> {
  await readJson(request, deleteAccountBody);
  const { data, error } = await visit.admin().rpc("forget_user", {
    p_user_id: visit.userId,
  });
  if (error) throw fromRpcError(error);
  const { erasure_id } = forgotten.parse(data);
  visit.log.info("Account deleted", { erasure_id });
  return Response.json(
    {
      success: true,
      erasure_id,
      message: "Your account is deleted. What is left of your videos and pictures goes now.",
    } satisfies DeletedAnswer,
    { status: 202 },
  );
}
