/**
 * `deno task generate`: writes the files that are derived from others, so that they can not drift:
 * the pg-boss schema (from the pinned package), each edge function's deno.json (from the root's pins)
 * and docs/openapi.json (from the doors' schemas). With `--check` it writes nothing and exits 1 when a
 * file is out of step.
 */
import { getConstructionPlans } from "pg-boss";
import denoConfig from "../deno.json" with { type: "json" };
import { openapiDocument } from "./openapi/document.ts";

const ROOT = new URL("../", import.meta.url);

/** The packages that code under supabase/functions and shared/ may import at run time. */
const FUNCTION_PACKAGES = [
  "@runware/sdk-js",
  "@runwayml/sdk",
  "@supabase/postgrest-js",
  "@supabase/server",
  "@supabase/supabase-js",
  "@types/pg",
  "@types/web-push",
  "jose",
  "pg",
  "pg-boss",
  "web-push",
  "zod",
] as const;

/** pg-boss's own DDL as a migration: without its transaction, which the migration runner brings. */
export function pgBossMigration(): string {
  const statements = getConstructionPlans("pgboss")
    .split("\n")
    .filter((line) =>
      !/^\s*(BEGIN;|COMMIT;|SET LOCAL .*|SELECT pg_advisory_xact_lock.*)\s*$/.test(line)
    )
    .map((line) => line.trimEnd())
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
  return [
    "-- The schema of pg-boss, our work queue. Generated from the pinned package by `deno task generate`;",
    `-- not edited by hand. ${denoConfig.imports["pg-boss"]}`,
    "",
    statements,
    "",
  ].join("\n");
}

/** The deno.json of every edge function: what the hosted bundler reads instead of the root's. */
export function functionConfig(): string {
  const imports = Object.fromEntries(
    FUNCTION_PACKAGES.map((name) => [name, denoConfig.imports[name]]),
  );
  return JSON.stringify({ imports }, null, 2) + "\n";
}

/** Every generated file: path from the repository's root, and what it must hold. */
export function generatedFiles(): Map<string, string> {
  const files = new Map([
    ["supabase/migrations/20261101000100_pgboss.sql", pgBossMigration()],
    ["docs/openapi.json", openapiDocument()],
  ]);
  for (const entry of Deno.readDirSync(new URL("supabase/functions/", ROOT))) {
    if (entry.isDirectory) {
      files.set(`supabase/functions/${entry.name}/deno.json`, functionConfig());
    }
  }
  return files;
}

/** Paths of generated files that are missing or differ from what they must hold. */
export async function filesOutOfStep(): Promise<string[]> {
  const stale: string[] = [];
  for (const [path, content] of generatedFiles()) {
    const current = await Deno.readTextFile(new URL(path, ROOT)).catch(() => null);
    if (current !== content) stale.push(path);
  }
  return stale;
}

if (import.meta.main) {
  const stale = await filesOutOfStep();
  if (Deno.args.includes("--check")) {
    for (const path of stale) console.error(`Out of step: ${path}. Run deno task generate`);
    Deno.exit(stale.length === 0 ? 0 : 1);
  }
  const files = generatedFiles();
  for (const path of stale) {
    await Deno.writeTextFile(new URL(path, ROOT), files.get(path) ?? "");
    console.log(`Wrote ${path}`);
  }
}
