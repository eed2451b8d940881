/**
 * `deno task test:postgres15`: the tests of the database, a video's whole life over HTTP and a dump that is
 * restored elsewhere on Debian's Postgres 15, then those that need the real pg_cron. Wants the packages postgresql-15 and postgresql-15-cron.
 * Ends with "N passed, N failed" over both.
 */
import { fileURLToPath } from "node:url";
import { ON_POSTGRES, testArguments } from "./folders.ts";
import { POSTGRES_15_BIN as BIN } from "./support/debian_postgres.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DATABASE = "gemreel";

if (
  !await exists(`${BIN}/initdb`) ||
  !await exists("/usr/share/postgresql/15/extension/pg_cron.control")
) {
  console.error("Debian's packages postgresql-15 and postgresql-15-cron are not installed");
  Deno.exit(1);
}

/** Postgres refuses to run as root; Debian's package brings a user for it. */
const asRoot = Deno.uid() === 0;
const home = await Deno.makeTempDir({ prefix: "gemreel-pg15-" });
const port = freePort();
if (asRoot) await run("chown", ["postgres", home]);
await asPostgres(`${BIN}/initdb -D ${home}/data -A trust -U postgres`);
await asPostgres(
  `${BIN}/pg_ctl -D ${home}/data -l ${home}/log -w -o "-p ${port} -k ${home} -c listen_addresses=127.0.0.1 ` +
    `-c shared_preload_libraries=pg_cron -c cron.database_name=${DATABASE} -c cron.host=${home} ` +
    `-c max_connections=300 -c fsync=off" start`,
);
let failed = 0;
let passed = 0;
try {
  await run(`${BIN}/createdb`, ["-h", "127.0.0.1", "-p", String(port), "-U", "postgres", DATABASE]);
  const url = `postgres://postgres@127.0.0.1:${port}/`;
  await count(
    ["run", "-A", "tests/run.ts", ...await testArguments(Deno.args, ON_POSTGRES)],
    `${url}postgres`,
  );
  await count(["test", "-A", "tests/extensions/pg_cron.ts"], `${url}${DATABASE}`);
} finally {
  await asPostgres(`${BIN}/pg_ctl -D ${home}/data -m immediate stop`);
  await Deno.remove(home, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);

/** Runs a Deno command, shows what it prints, adds up the counts of its closing line. */
async function count(args: string[], databaseUrl: string): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { DATABASE_URL: databaseUrl, NO_COLOR: "1" },
    stdout: "piped",
  }).spawn();
  let last = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    Deno.stdout.writeSync(new TextEncoder().encode(chunk));
    last = (last + chunk).slice(-4_000);
  }
  const { code } = await child.status;
  const closing = /(\d+) passed[,|\s]+(\d+) failed/g;
  const [, ok = "0", bad = "0"] = [...last.matchAll(closing)].at(-1) ?? [];
  passed += Number(ok);
  failed += code === 0 ? Number(bad) : Math.max(1, Number(bad));
}

async function asPostgres(command: string): Promise<void> {
  if (asRoot) await run("su", ["postgres", "-c", command]);
  else await run("sh", ["-c", command]);
}

async function run(command: string, args: string[]): Promise<void> {
  const { code } = await new Deno.Command(command, { args, stdout: "null", stdin: "null" }).spawn()
    .status;
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}
