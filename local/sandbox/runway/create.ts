import { z } from "zod";

/** What was ordered, and what it costs. */
export interface Order {
  readonly model: string;
  readonly prompt: string;
  readonly width: number;
  readonly height: number;
  readonly seconds: number;
  readonly credits: number;
}

const text = z.string().min(1).max(1_000);
const seed = z.number().int().min(0).max(4_294_967_295);
const uri = z.string().max(5_000_000).regex(
  /^(https:\/\/[^/]*[a-z][^/]*(\/.*)?|runway:\/\/.+|data:image\/.+)$/i,
  "Expected an HTTPS URL, a Runway URI or a data URI",
);
const first = z.object({ uri, position: z.literal("first") });
const last = z.object({ uri, position: z.literal("last") });
const firstOnly = z.union([uri, z.tuple([first])]);
const firstAndLast = z.union([uri, z.tuple([first]), z.tuple([first, last])]);
const moderation = z.strictObject({
  publicFigureThreshold: z.enum(["auto", "low"]).optional(),
});

const hd = ["1280:720", "720:1280"] as const;
const shapes = z.enum([...hd, "1104:832", "960:960", "832:1104", "1584:672"]);
const veoRatio = z.enum([...hd, "1920:1080", "1080:1920"]);
const veoSeconds = z.literal([4, 6, 8]).default(8);
const veo = {
  ratio: veoRatio,
  duration: veoSeconds,
  negativePrompt: z.string().optional(),
  audio: z.boolean().default(true),
  seed: seed.optional(),
};

const fromImage = z.discriminatedUnion("model", [
  z.strictObject({
    model: z.literal("gen4_turbo"),
    promptImage: firstOnly,
    promptText: text.optional(),
    ratio: shapes,
    duration: z.number().min(2).max(10).default(10),
    seed: seed.optional(),
    contentModeration: moderation.optional(),
  }),
  z.strictObject({
    model: z.literal("gen4.5"),
    promptImage: firstOnly,
    promptText: text,
    ratio: shapes,
    duration: z.number().int().min(2).max(10),
    seed: seed.optional(),
    contentModeration: moderation.optional(),
  }),
  z.strictObject({
    model: z.literal(["veo3.1", "veo3.1_fast"]),
    promptImage: firstAndLast,
    promptText: text.optional(),
    ...veo,
  }),
]);

const fromText = z.discriminatedUnion("model", [
  z.strictObject({
    model: z.literal("gen4.5"),
    promptText: text,
    ratio: z.enum(hd),
    duration: z.number().int().min(2).max(10),
    seed: seed.optional(),
    contentModeration: moderation.optional(),
  }),
  z.strictObject({ model: z.literal(["veo3.1", "veo3.1_fast"]), promptText: text, ...veo }),
]);

/** Credits per second: without sound, and with it. */
const CREDITS: Readonly<Record<string, readonly [number, number]>> = {
  gen4_turbo: [5, 5],
  "gen4.5": [12, 12],
  "veo3.1": [20, 40],
  "veo3.1_fast": [10, 15],
};

/** The paths that create videos, with what they take. */
export const createPaths = {
  "/v1/image_to_video": fromImage,
  "/v1/text_to_video": fromText,
} as const;

/** Reads the body of a create. Answers what was ordered, or what is wrong with it. */
export function readOrder(
  path: keyof typeof createPaths,
  body: unknown,
): Order | z.core.$ZodIssue[] {
  const { success, data, error } = createPaths[path].safeParse(body);
  if (!success) return error.issues;
  const [width = 0, height = 0] = data.ratio.split(":").map(Number);
  const sound = "audio" in data && data.audio;
  const perSecond = CREDITS[data.model]?.[sound ? 1 : 0] ?? 0;
  return {
    model: data.model,
    prompt: data.promptText ?? "",
    width,
    height,
    seconds: data.duration,
    credits: perSecond * data.duration,
  };
}
