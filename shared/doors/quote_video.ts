/** What a video would cost. Imported by the first who asks: most queue at once. */
import { z } from "zod";
import type { UserVisit } from "../http/door.ts";
import { fromRpcError } from "../http/http_error.ts";
import type { QuoteAnswer } from "./answers.ts";
import type { DraftRequest } from "./draft_request.ts";

const quoted = z.object({
  title: z.string(),
  gem_cost: z.number(),
  gem_balance: z.number().nullable(),
  provider: z.string(),
  model: z.string(),
  model_reason: z.string().nullable(),
});

/** 200 with the price and the balance; nothing is charged. */
export async function quoteVideo(visit: UserVisit, { request }: DraftRequest): Promise<Response> {
  const { data, error } = await visit.admin().rpc("quote_video", {
    p_user_id: visit.userId,
    p_request: request,
  });
  if (error) throw fromRpcError(error);
  const { model_reason, ...price } = quoted.parse(data);
  return Response.json(
    {
      success: true,
      quote: {
        ...price,
        ...(model_reason === null ? {} : { reason: model_reason }),
      },
    } satisfies QuoteAnswer,
  );
}
