/** POST, provider: takes the webhook's word and writes it into the rows. */
import { z } from "zod";
import { need } from "../client.ts";
import { complete } from "../complete.ts";

const bodySchema = z.object({
  data: z.array(z.looseObject({ taskUUID: z.string(), videoURL: z.string().optional() })),
});

export default {
  async fetch(request: Request): Promise<Response> {
    const token = new URL(request.url).searchParams.get("token");
    if (token !== need("PROVIDER_WEBHOOK_SECRET")) return new Response(null, { status: 401 });
    const { data } = bodySchema.parse(await request.json());
    for (const { taskUUID, videoURL } of data) {
      if (videoURL !== undefined) await complete(taskUUID, videoURL);
    }
    return Response.json({ success: true });
  },
};
