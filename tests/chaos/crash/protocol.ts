/** What the test and a worker process say to each other: one JSON object a line. */
import { z } from "zod";

const stageName = z.enum(["submit", "poll", "store", "notify", "maintain"]);
/** The stages a worker can be told to run. */
export type StageName = z.infer<typeof stageName>;

/**
 * When the process kills itself: at a crossing with this name, at the n-th crossing whatever its name
 * is, or never.
 */
export const fuse = z.union([
  z.object({ at: z.string() }),
  z.object({ crossing: z.number().int().positive() }),
  z.null(),
]);
export type Fuse = z.infer<typeof fuse>;

/** Where a worker finds its world. */
export const surroundings = z.object({
  databaseUrl: z.string(),
  supabaseUrl: z.string(),
  secretKey: z.string(),
  /** Of the providers. */
  providersEnv: z.record(z.string(), z.string()),
  /** Of the notification channels. */
  notifyEnv: z.record(z.string(), z.string()),
});
export type Surroundings = z.infer<typeof surroundings>;

/** To the worker. `open` begins a life: fresh connections, a fresh name, crossings counted from one. */
export const command = z.discriminatedUnion("do", [
  surroundings.extend({ do: z.literal("open"), fuse }),
  z.object({ do: z.literal("run"), stage: stageName }),
]);
export type Command = z.infer<typeof command>;

/**
 * A crossing of a port: the stage that made it, and its name, which is unique within a life. `starts`:
 * right after it something goes out that others can see.
 */
export const crossing = z.object({ stage: z.string(), name: z.string(), starts: z.boolean() });
export type Crossing = z.infer<typeof crossing>;

/** From the worker. `dying` is the last word before SIGKILL. */
export const reply = z.discriminatedUnion("say", [
  z.object({ say: z.literal("done"), crossings: z.array(crossing) }),
  z.object({ say: z.literal("failed"), error: z.string() }),
  z.object({ say: z.literal("dying"), at: crossing }),
]);
export type Reply = z.infer<typeof reply>;
