/**
 * `deno task generate`: writes the files that are derived from others, so that they cannot drift:
 * the pg-boss schema (from the pinned package), each edge function's deno.json (from the root's
 * pins) and docs/openapi.json (from the doors' schemas).
 */
import { join } from "node:path";
import { getConstructionPlans } from "pg-boss";
import denoConfig from "../deno.json" with { type: "json" };
import { taskArguments } from "./arguments.ts";
import { ROOT } from "./env.ts";
import { openapiDocument } from "./openapi/document.ts";
import { functionNames, functionPaths } from "./verify/import_graph.ts";

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
function pgBossMigration(): string {
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
function functionConfig(): string {
  const imports = Object.fromEntries(
    FUNCTION_PACKAGES.map((name) => [name, denoConfig.imports[name]]),
  );
  return JSON.stringify({ imports }, null, 2) + "\n";
}

/** Every generated file: path from the repository's root, and what it must hold. */
async function generatedFiles(): Promise<Map<string, string>> {
  const files = new Map([
    ["supabase/migrations/20261101000100_pgboss.sql", pgBossMigration()],
    ["docs/openapi.json", openapiDocument()],
  ]);
  for (const name of await functionNames(ROOT)) {
    files.set(functionPaths(name).config, functionConfig());
  }
  return files;
}

/** Paths of generated files that are missing or differ from what they must hold. */
export async function filesOutOfStep(): Promise<string[]> {
  const stale: string[] = [];
  for (const [path, content] of await generatedFiles()) {
    const current = await Deno.readTextFile(join(ROOT, path)).catch(() => null);
    if (current !== content) stale.push(path);
  }
  return stale;
}

if (import.meta.main) {
  taskArguments("generate");
  const files = await generatedFiles();
  for (const path of await filesOutOfStep()) {
    await Deno.writeTextFile(join(ROOT, path), files.get(path) ?? "");
    console.log(`Wrote ${path}`);
  }
}
