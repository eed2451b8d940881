/** Fields of answers that are not trusted: one of an unexpected type counts as absent. */
import { z } from "zod";

/** Words. Empty ones say nothing either. */
export const text = z.string().min(1).optional().catch(undefined);

/** A number that is not negative; public clients also met it as a string. */
export const amount = z.union([z.number(), z.string().regex(/^\d+(\.\d+)?$/).transform(Number)])
  .pipe(z.number().nonnegative()).optional().catch(undefined);

/** Where a file is. The one piece that refuses: what its absence means is for the adapter to say. */
export const link = z.url({ protocol: /^https?$/ }).max(4_096);
