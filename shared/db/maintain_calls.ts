/** The SQL functions of maintaining as typed calls. */
import { z } from "zod";
import type { Sql } from "./database.ts";
import { count, many, one } from "./rows.ts";

const violation = z.object({
  invariant: z.string(),
  video_id: z.string().nullable(),
  user_id: z.string().nullable(),
  detail: z.string(),
});

/** Brings lost videos back on their way. Answers counts. */
export const reconcile = (sql: Sql) =>
  one(sql, z.record(z.string(), z.number()), "select app.reconcile() as value", []);

/**
 * Keeps the fair order within what priorities can hold. Returns how many queues were rebased;
 * almost always 0.
 */
export const rebasePriorities = (sql: Sql): Promise<number> =>
  one(sql, count, "select app.rebase_priorities() as value", []);

/** Refreshes the medians per model. */
export const measureModels = (sql: Sql): Promise<number> =>
  one(sql, count, "select app.measure_models() as value", []);

/**
 * Violated invariants, such as wrong balances or stranded videos: those among recent rows, plus the
 * findings of the latest full check, told once.
 */
export const checkInvariants = (sql: Sql) =>
  many(sql, violation, "select * from app.check_invariants()", []);
