/** `supabase functions deploy --use-api` against the stand-in of the Management API. */
import { join } from "node:path";
import { z } from "zod";
import { readOpenFunctions } from "../functions_config.ts";
import { functionPaths, reachableFiles } from "./import_graph.ts";
import { type ManagementApi, startManagementApi } from "./management_api.ts";
import type { Problems, Report } from "./report.ts";
import { supabaseJson } from "./supabase_cli.ts";
import { findUploadFaults } from "./upload.ts";
import { plant, type Workspace } from "./workspace.ts";

const PROJECT_REF = "abcdefghijklmnopqrst";
const answerSchema = z.object({ functions: z.array(z.string()) });

/** Deploys every function and checks, one by one, what was uploaded. */
export async function verifyDeploy(report: Report, workspace: Workspace): Promise<void> {
  const accessToken = `sbp_${randomHex(40)}`;
  const api = startManagementApi({ accessToken, projectRef: PROJECT_REF });
  try {
    const canary = await plantSecrets(workspace);
    const deployed = await report.check(
      `supabase functions deploy --use-api deploys ${workspace.functions.length} functions`,
      () => deploy(workspace, api, accessToken),
    );
    if (!deployed) return;
    const open = await readOpenFunctions(join(workspace.dir, "supabase"));
    await report.check(
      "F12 supabase/config.toml switches the platform's JWT check off for every function",
      () => Promise.resolve(findPlatformChecks(workspace.functions, open)),
    );
    for (const name of workspace.functions) {
      await report.check(
        `${name} is uploaded whole, and nothing else`,
        () => findFaults({ workspace, api, name, verifyJwt: !open.has(name), canary }),
      );
    }
  } finally {
    await api.stop();
  }
}

/** Files that must never leave the machine, with a text by which they would be known. */
async function plantSecrets(workspace: Workspace): Promise<string> {
  const canary = `canary-${randomHex(32)}`;
  const folders = ["", "supabase/", "supabase/functions/", "shared/"];
  const places = [...folders, ...workspace.functions.map((name) => `supabase/functions/${name}/`)];
  for (const place of places) await plant(workspace, `${place}.env`, `SECRET=${canary}\n`);
  await plant(workspace, "local/unrelated.ts", `export const secret = "${canary}";\n`);
  return canary;
}

async function deploy(
  workspace: Workspace,
  api: ManagementApi,
  accessToken: string,
): Promise<Problems> {
  await plant(workspace, "profile.yaml", profile(api.url));
  const args = ["functions", "deploy", "--use-api", `--remote=${PROJECT_REF}`, "--yes"];
  const { functions } = await supabaseJson(
    [...args, "--profile", join(workspace.dir, "profile.yaml")],
    answerSchema,
    { cwd: workspace.dir, env: { SUPABASE_ACCESS_TOKEN: accessToken } },
  );
  return [
    ...workspace.functions.filter((name) => !functions.includes(name))
      .map((name) => `"${name}" is not deployed`),
    ...workspace.functions.filter((name) => !api.activated.has(name))
      .map((name) => `"${name}" is not made live`),
    ...api.strangers.map((call) => `The stand-in knows no "${call}"`),
  ];
}

function profile(apiUrl: string): string {
  const urls = ["api_url", "dashboard_url", "docs_url"].map((key) => `${key}: ${apiUrl}`);
  return ["name: stand-in", "project_host: 127.0.0.1", ...urls, ""].join("\n");
}

/**
 * The platform's check is on for a function that config.toml does not name, and then callers end in
 * a 401 that our code never sees: webhooks, cron, and users of projects with signing keys. That our
 * code does check its callers is shown by calling each function without credentials.
 */
export function findPlatformChecks(
  functions: readonly string[],
  open: ReadonlySet<string>,
): Problems {
  return functions.filter((name) => !open.has(name))
    .map((name) => `"${name}" needs verify_jwt = false`);
}

async function findFaults({ workspace, api, name, verifyJwt, canary }: {
  readonly workspace: Workspace;
  readonly api: ManagementApi;
  readonly name: string;
  readonly verifyJwt: boolean;
  readonly canary: string;
}): Promise<Problems> {
  const upload = api.uploads.find((one) => one.slug === name);
  if (!upload) return [`"${name}" was not uploaded`];
  const faults = findUploadFaults(upload, {
    ...functionPaths(name),
    needed: await reachableFiles(workspace, name),
    verifyJwt,
    read: (path) => readIfThere(join(workspace.dir, path)),
    canaries: [canary],
  });
  const live = api.activated.get(name);
  return live === verifyJwt ? faults : [...faults, `It goes live with verify_jwt ${live}`];
}

function readIfThere(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch {
    return undefined;
  }
}

function randomHex(digits: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(digits / 2));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
