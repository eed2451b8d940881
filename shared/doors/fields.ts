/** Fields that requests of several doors have. A rhyme has them, too: read on each cold start. */
import { z } from "zod";

/** Longest URL taken, in characters. */
export const URL_MAX = 2048;

/** An id, in lower case as Postgres writes it: some write it in capitals, and mean the same. */
export const id = z.guid().toLowerCase();

/** Seconds of video. What a model can make is checked when it is chosen. */
export const duration = z.number().positive().max(600);

/** Pictures a second. */
export const fps = z.int().positive().max(120);

/** What a model begins with: the same one makes a similar video. */
export const seed = z.int().positive();

/** The name of a model, or "auto". */
export const modelName = z.string().regex(
  /^[\x21-\x7e]{1,100}$/,
  "must be 1 to 100 printable ASCII characters",
);

/** The Idempotency-Key header: 1 to 255 printable ASCII characters. */
export const idempotencyKeySchema = z.string().regex(
  /^[\x21-\x7e][\x20-\x7e]{0,254}$/,
  "must be 1 to 255 printable ASCII characters",
);
