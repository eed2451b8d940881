/** The one form of every error that our functions answer. */
import { z } from "zod";

/** An error as an app reads it. */
export const errorAnswer = z.object({
  success: z.literal(false),
  error: z.string().meta({ description: "A sentence for people." }),
  code: z.string().meta({ description: "Stable, for programs." }),
  details: z.unknown().optional().meta({
    description:
      "Of a refused request: a list of {field, message, allowed?}; allowed lists values and ranges {min, max, step?}, and is empty where the field is to be left out. Otherwise as documented for the code.",
  }),
  request_id: z.uuid().meta({ description: "The logs carry it too, and the header x-request-id." }),
});
/** An error. */
export type ErrorAnswer = z.infer<typeof errorAnswer>;
