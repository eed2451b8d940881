import { assertEquals } from "@std/assert";
import { findPlatformChecks } from "../../local/verify/deploy.ts";
import { startManagementApi, type Upload } from "../../local/verify/management_api.ts";
import { type ExpectedUpload, findUploadFaults } from "../../local/verify/upload.ts";

const ENTRY = "supabase/functions/queue-video/index.ts";
const CONFIG = "supabase/functions/queue-video/deno.json";
const DOOR = "shared/http/door.ts";
const CANARY = "canary-0123456789abcdef";

const project: Readonly<Record<string, string>> = {
  [ENTRY]: 'import "../../../shared/http/door.ts";',
  [CONFIG]: '{ "imports": {} }',
  [DOOR]: "export const door = 1;",
};

const expected: ExpectedUpload = {
  entry: ENTRY,
  config: CONFIG,
  needed: [ENTRY, DOOR],
  verifyJwt: false,
  read: (path) => project[path],
  canaries: [CANARY],
};

const metadata = {
  name: "queue-video",
  entrypoint_path: ENTRY,
  import_map_path: CONFIG,
  verify_jwt: false,
};

/** Uploads over real HTTP, as the CLI does, and returns the faults found in what arrived. */
async function upload(
  files: Readonly<Record<string, string>>,
  changed: Partial<typeof metadata> = {},
): Promise<readonly string[]> {
  const [uploaded] = await send(files, { ...metadata, ...changed });
  if (!uploaded) throw new Error("The stand-in kept no upload");
  return findUploadFaults(uploaded, expected);
}

async function send(
  files: Readonly<Record<string, string>>,
  about: Record<string, unknown>,
): Promise<readonly Upload[]> {
  const api = startManagementApi({ accessToken: "sbp_right", projectRef: "project" });
  try {
    const form = new FormData();
    form.set("metadata", JSON.stringify(about));
    for (const [path, text] of Object.entries(files)) form.append("file", new File([text], path));
    const response = await fetch(
      `${api.url}/v1/projects/project/functions/deploy?slug=queue-video`,
      {
        method: "POST",
        headers: { authorization: "Bearer sbp_right" },
        body: form,
      },
    );
    await response.body?.cancel();
    return api.uploads;
  } finally {
    await api.stop();
  }
}

Deno.test("an upload with every needed file and the right metadata has no fault", async () => {
  assertEquals(await upload(project), []);
});

Deno.test("an upload that lacks an imported file names it", async () => {
  const { [DOOR]: _missing, ...rest } = project;
  assertEquals(await upload(rest), [`"${DOOR}" is not uploaded`]);
});

Deno.test("an upload without the function's deno.json names it", async () => {
  const { [CONFIG]: _missing, ...rest } = project;
  assertEquals(await upload(rest), [`"${CONFIG}" is not uploaded`]);
});

Deno.test("an upload with a file that nothing imports names it", async () => {
  const faults = await upload({ ...project, "shared/old.ts": "export {};" });
  assertEquals(faults, ['"shared/old.ts" is uploaded and nothing imports it']);
});

Deno.test("an upload with a file from outside supabase/ and shared/ names it", async () => {
  const faults = await upload({ ...project, "local/stack.ts": "export {};" });
  assertEquals(faults, ['"local/stack.ts" is uploaded and is not deployable code']);
});

Deno.test("an upload with a dotenv file is found by its name and by its secret", async () => {
  const path = "supabase/functions/queue-video/.env.local";
  const faults = await upload({ ...project, [path]: `SECRET=${CANARY}` });
  assertEquals(faults, [
    `"${path}" is uploaded and nothing imports it`,
    `"${path}" is uploaded and may hold secrets`,
    `"${path}" is uploaded with a secret in it`,
  ]);
});

Deno.test("an upload with a changed file names it", async () => {
  const faults = await upload({ ...project, [DOOR]: "export const door = 2;" });
  assertEquals(faults, [`"${DOOR}" is uploaded changed`]);
});

Deno.test("F12 an upload that switches the platform's JWT check on is found", async () => {
  assertEquals(await upload(project, { verify_jwt: true }), ["verify_jwt is true, not false"]);
});

Deno.test("F12 a function that config.toml does not name is found", () => {
  assertEquals(findPlatformChecks(["health", "runware-webhook"], new Set(["health"])), [
    '"runware-webhook" needs verify_jwt = false',
  ]);
});

Deno.test("an upload with another entrypoint or import map names both paths", async () => {
  const faults = await upload(project, {
    entrypoint_path: "index.ts",
    import_map_path: "deno.json",
  });
  assertEquals(faults, [
    `The entrypoint is "index.ts", not "${ENTRY}"`,
    `The import map is "deno.json", not "${CONFIG}"`,
  ]);
});

Deno.test("the stand-in lets nobody in without the access token, and keeps unknown calls", async () => {
  const api = startManagementApi({ accessToken: "sbp_right", projectRef: "project" });
  try {
    const list = `${api.url}/v1/projects/project/functions`;
    const wrong = await fetch(list, { headers: { authorization: "Bearer sbp_wrong" } });
    const right = await fetch(`${list}/unheard-of`, {
      headers: { authorization: "Bearer sbp_right" },
    });
    await Promise.all([wrong.body?.cancel(), right.body?.cancel()]);
    assertEquals([wrong.status, right.status], [401, 404]);
    assertEquals(api.strangers, ["GET /v1/projects/project/functions/unheard-of"]);
  } finally {
    await api.stop();
  }
});
