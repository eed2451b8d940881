/**
 * cold: a fresh process imports a function and answers its first call, on the Deno that develops and on
 * the line that the platform runs. Beside it a hello-world that imports supabase-js. The project's APIs
 * are a stub that answers at once, so that nothing but the function itself is measured.
 */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { runToSuccess } from "../../../local/verify/command.ts";
import { HOSTED_DENO, hostedDeno } from "../../../local/verify/function_process.ts";
import { functionPaths } from "../../../local/verify/import_graph.ts";
import { createScratch } from "../../../local/verify/scratch.ts";
import { copyWorkspace, plant, type Workspace } from "../../../local/verify/workspace.ts";
import type { QueuedRow } from "../../../shared/doors/queue_orders.ts";
import { webhookToken } from "../../../shared/http/webhook_token.ts";
import { TWINKLE } from "../../support/fixtures.ts";
import { type Bench, expect, interleave, type Row, row } from "../bench.ts";

const ROUNDS = 13;
const WARM_UP = 2;
const SECRET = "a-webhook-secret-of-the-benchmark";
const HELLO = `import { createClient } from "@supabase/supabase-js";
const client = createClient(Deno.env.get("SUPABASE_URL") ?? "", "sb_secret_stub");
export default { fetch: () => Response.json({ hello: typeof client.rpc }) };
`;
const START = fileURLToPath(new URL("./cold_start.ts", import.meta.url));
const NAMES = ["queue-video", "runware-webhook", "hello"] as const;
type Name = typeof NAMES[number];

/** What the functions are called with. */
interface Call {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly status: number;
}

/** A place to start functions in. */
interface Place {
  readonly workspace: Workspace;
  readonly env: Record<string, string>;
  readonly calls: Record<Name, Call>;
}

const answerSchema = z.object({ status: z.number(), milliseconds: z.number() });

export const cold: Bench = {
  name: "cold",
  async run() {
    const scratch = await createScratch();
    const stub = startStub();
    try {
      const workspace = await copyWorkspace(scratch);
      await plantHello(workspace);
      const place = { workspace, ...await surroundings(stub.url) };
      const rows: Row[] = [];
      for (const deno of [Deno.execPath(), await hostedDeno(workspace)]) {
        rows.push(...await onDeno(place, deno));
      }
      for (const name of NAMES) rows.push(await sizeOf(workspace, name));
      return rows;
    } finally {
      await stub.close();
      await scratch.cleanups.run();
    }
  },
};

async function onDeno(place: Place, deno: string): Promise<Row[]> {
  const line = lineOf(deno);
  const { hello, ...ours } = await interleave<Name>(
    {
      "queue-video": () => start(place, deno, "queue-video"),
      "runware-webhook": () => start(place, deno, "runware-webhook"),
      hello: () => start(place, deno, "hello"),
    },
    // To start is the same work each time: whatever else the machine does only adds to it.
    { rounds: ROUNDS, warmUp: WARM_UP, figure: (values) => Math.min(...values) },
  );
  return Object.entries(ours).map(([name, milliseconds]) =>
    row({
      name: `cold, ${name}, ${line}`,
      ours: milliseconds,
      peer: hello,
      peerName: "hello-world",
      unit: "ms",
      goal: { ratioAtMost: 1.3 },
      note: `start of Deno to its first answer, the fastest of ${ROUNDS} each; ` +
        "hello-world imports supabase-js",
    })
  );
}

function lineOf(deno: string): string {
  return deno === Deno.execPath() ? `deno@${Deno.version.deno}` : HOSTED_DENO;
}

/**
 * Starts a process. The lock file, written by the first start, stands for what the platform's bundle
 * has done already: choosing the versions of all packages. Answers milliseconds to the first answer.
 */
async function start(place: Place, deno: string, name: Name): Promise<number> {
  const { entry, config } = functionPaths(name);
  const { url, headers, body, status } = place.calls[name];
  const { success, stdout, stderr } = await new Deno.Command(deno, {
    args: [
      ...["run", `--lock=${name}-${lineOf(deno)}.lock`, "-A", "--quiet", "--config", config, START],
      ...[entry, url, JSON.stringify(headers), body],
    ],
    cwd: place.workspace.dir,
    env: place.env,
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`"${name}" does not start: ${decoder.decode(stderr)}`);
  // A function may log; the answer is told last.
  const answer = answerSchema.parse(
    JSON.parse(decoder.decode(stdout).trim().split("\n").at(-1) ?? ""),
  );
  expect(`The first answer of ${name}`, answer.status, status);
  return answer.milliseconds;
}

async function plantHello(workspace: Workspace): Promise<void> {
  const { entry, config } = functionPaths("hello");
  const imports = await Deno.readTextFile(join(workspace.dir, functionPaths("queue-video").config));
  await plant(workspace, entry, HELLO);
  await plant(workspace, config, imports);
}

/** A project as the functions see it, and a call that each of them answers well. */
async function surroundings(projectUrl: string): Promise<Omit<Place, "workspace">> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...await exportJWK(publicKey), kid: "bench", alg: "ES256", use: "sig" };
  const token = await new SignJWT({ role: "authenticated", aud: "authenticated" })
    .setProtectedHeader({ alg: "ES256", kid: "bench", typ: "JWT" })
    .setSubject(crypto.randomUUID())
    .setIssuer(`${projectUrl}/auth/v1`)
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(privateKey);
  const job = crypto.randomUUID();
  const json = { "content-type": "application/json" };
  return {
    env: {
      SUPABASE_URL: projectUrl,
      SUPABASE_DB_URL: "postgresql://nobody@127.0.0.1:9/none",
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: "sb_publishable_stub" }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: "sb_secret_stub" }),
      SUPABASE_JWKS: JSON.stringify({ keys: [jwk] }),
      AVATAR_HOSTS: "avatars.example.com",
      RUNWARE_API_KEY: "stub",
      PROVIDER_WEBHOOK_SECRET: SECRET,
    },
    calls: {
      "queue-video": {
        url: "http://localhost/queue-video",
        headers: { ...json, apikey: "sb_publishable_stub", authorization: `Bearer ${token}` },
        body: JSON.stringify({ child_id: crypto.randomUUID(), rhyme_id: TWINKLE }),
        status: 201,
      },
      "runware-webhook": {
        url: `http://localhost/runware-webhook?job=${job}&token=${await webhookToken(SECRET, job)}`,
        headers: json,
        body: JSON.stringify({ data: [{ taskType: "videoInference", taskUUID: job }] }),
        status: 200,
      },
      hello: { url: "http://localhost/hello", headers: json, body: "{}", status: 200 },
    },
  };
}

/** The APIs of a project in which everything goes well. */
function startStub(): { readonly url: string; close(): Promise<void> } {
  const answers: Record<string, unknown> = {
    "/rest/v1/rpc/queue_videos": [{
      video: {
        video_id: crypto.randomUUID(),
        estimated_completion: "2026-01-01T00:00:00Z",
        estimated_seconds: 60,
        gem_cost: 10,
        title: "Twinkle",
        provider: "runware",
        model: "pixverse:1@5",
        model_reason: null,
        status: "queued",
        replayed: false,
      } satisfies QueuedRow,
    }],
    "/rest/v1/rpc/record_provider_events": {
      events: [{ known: true, recorded: true }],
    },
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const answer = answers[new URL(request.url).pathname];
    return answer === undefined ? new Response(null, { status: 404 }) : Response.json(answer);
  });
  return { url: `http://127.0.0.1:${server.addr.port}`, close: () => server.shutdown() };
}

/** The size of what is deployed, packed. Throws where the work queue is part of it. */
async function sizeOf(workspace: Workspace, name: Name): Promise<Row> {
  const { entry, config } = functionPaths(name);
  const output = `bundle-${name}.js`;
  await runToSuccess(Deno.execPath(), {
    args: ["bundle", "--quiet", "--no-lock", "--minify", "--config", config, "-o", output, entry],
    cwd: workspace.dir,
  });
  const file = await Deno.open(join(workspace.dir, output));
  const packed = await new Response(file.readable.pipeThrough(new CompressionStream("gzip")))
    .bytes();
  const text = await Deno.readTextFile(join(workspace.dir, output));
  expect(`pg-boss in the bundle of ${name}`, /pgboss\.(job|version)/.test(text), false);
  return row({
    name: `bundle, ${name}`,
    ours: packed.byteLength / 1_000,
    unit: "kB gzipped",
    goal: "printed",
  });
}
