import { answer, type Reply } from "../reply.ts";

/** An error as Runway words it. */
export function problem(status: number, error: string, more: Record<string, unknown> = {}): Reply {
  return answer(status, { error, ...more, docUrl: "https://docs.dev.runwayml.com/api" });
}
