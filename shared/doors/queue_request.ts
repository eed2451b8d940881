/** Which schema the body of queue-video is checked with: a rhyme's own, or that of all kinds. */
import type { z } from "zod";
import type { QueueRequest, RequestRules } from "./request_kinds.ts";
import { rhymeSchema } from "./rhyme_draft.ts";

/** Chooses the schema that a body is checked with. Rejects with an HttpError: 400 for an unknown kind. */
export type ChooseSchema = (body: unknown) => Promise<z.ZodType<QueueRequest>>;

/**
 * Makes the choice for this deployment. A rhyme is checked with its own schema: to build those of the
 * other kinds would be a tenth of a cold start. They are built once, by the first who asks for one.
 */
export function schemaChooser(rules: RequestRules): ChooseSchema {
  let ofAllKinds: z.ZodType<QueueRequest> | undefined;
  return async (body) => {
    if (isRhyme(body)) return rhymeSchema;
    const { queueRequestSchema, requireKind } = await import("./request_kinds.ts");
    requireKind(body);
    return ofAllKinds ??= queueRequestSchema(rules);
  };
}

/** A rhyme's schema also says of what is no object that it must be one. */
function isRhyme(body: unknown): boolean {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return true;
  return !("kind" in body) || body.kind === "rhyme";
}
