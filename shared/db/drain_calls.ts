/** The SQL functions of draining a stage as typed calls. */
import { z } from "zod";
import type { Sql } from "./database.ts";
import { one } from "./rows.ts";

/** Takes this worker's place at a stage, or keeps it. */
export const startDrain = (sql: Sql, stage: string, node: string): Promise<boolean> =>
  one(sql, z.boolean(), "select app.start_drain($1, $2) as value", [stage, node]);

/** Renews this worker's place at a stage; false where it has none. */
export const renewDrain = (sql: Sql, stage: string, node: string): Promise<boolean> =>
  one(sql, z.boolean(), "select app.renew_drain($1, $2) as value", [stage, node]);

/** Gives up this worker's place; true when work came in meanwhile. */
export const endDrain = (sql: Sql, stage: string, node: string): Promise<boolean> =>
  one(sql, z.boolean(), "select app.end_drain($1, $2) as value", [stage, node]);

/** Wakes another worker for a stage. */
export const ring = (sql: Sql, stage: string): Promise<boolean> =>
  one(sql, z.boolean(), "select app.ring($1) as value", [stage]);
