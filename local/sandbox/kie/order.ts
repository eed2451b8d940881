import { z } from "zod";
import type { Wanted } from "../mp4.ts";
import { INPUTS } from "./models.ts";

/** What was ordered, and what it costs. */
export interface Order {
  readonly model: string;
  /** The whole body, as `param` tells it. */
  readonly param: string;
  readonly prompt: string;
  readonly callBackUrl: string | null;
  readonly wanted: Wanted;
  readonly credits: number;
}

/** Why a create is not taken. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
}

const body = z.object({
  model: z.string().min(1),
  input: z.record(z.string(), z.unknown()),
  callBackUrl: z.url({ protocol: /^https?$/ }).nullish(),
});

/** Of an input that its schema took. */
const format = z.object({
  prompt: z.string(),
  duration: z.coerce.number().default(6),
  aspect_ratio: z.string().regex(/^\d+:\d+$/).catch("16:9"),
});

/** Credits a second: no more than the right size, since the real price list is long. */
const CREDITS_PER_SECOND = 10;

/** Reads the body of a create. */
export function readOrder(posted: unknown): Order | Refusal {
  const read = body.safeParse(posted);
  if (!read.success) return { code: 422, message: describe(read.error) };
  const { model, input, callBackUrl } = read.data;
  const schema = INPUTS[model];
  if (schema === undefined) {
    return { code: 422, message: "The model name you specified is not supported" };
  }
  const checked = schema.safeParse(input);
  if (!checked.success) return { code: 422, message: describe(checked.error) };
  const { prompt, duration, aspect_ratio } = format.parse(input);
  const [across = 16, down = 9] = aspect_ratio.split(":").map(Number);
  return {
    model,
    param: JSON.stringify(posted),
    prompt,
    callBackUrl: callBackUrl ?? null,
    wanted: { width: across * 100, height: down * 100, seconds: duration },
    credits: CREDITS_PER_SECOND * duration,
  };
}

function describe({ issues }: z.ZodError): string {
  const [issue] = issues;
  return `${issue?.path.join(".") || "body"}: ${issue?.message ?? "not valid"}`;
}
