/** What the kernel says of processes: proc(5), which Linux has. */
import type { Site } from "./sites.ts";

/** Clock ticks a second, as every Linux that Deno runs on tells times to programs. */
const TICKS = 100;

/** The child of this process that runs the functions. */
async function functionsHost(): Promise<number> {
  for (const pid of await pids()) {
    if (!(await read(pid, "cmdline")).includes("functions_host.ts")) continue;
    if (await parentOf(pid) === Deno.pid) return pid;
  }
  throw new Error("No process runs functions; what it uses is read from /proc, which Linux has");
}

/** Seconds of CPU time. */
export interface CpuSeconds {
  readonly functions: number;
  /** This process: the gateway and all that the stack serves behind it, and whoever calls it here. */
  readonly gateway: number;
  /** The server that holds the site's database, with all its processes. */
  readonly postgres: number;
}

/** Used until now, by each of the stack's processes. */
export async function cpuSeconds(site: Site): Promise<CpuSeconds> {
  const { rows } = await site.db.query<{ pid: number }>("select pg_backend_pid() as pid");
  const postmaster = await parentOf(rows[0]?.pid ?? NaN);
  let postgres = await ticks(postmaster, "and of its ended children");
  for (const pid of await pids()) {
    // One that ends meanwhile is counted with its parent the next time.
    if (await parentOf(pid) === postmaster) postgres += await ticks(pid, "its own");
  }
  return {
    functions: await ticks(await functionsHost(), "its own") / TICKS,
    gateway: await ticks(Deno.pid, "its own") / TICKS,
    postgres: postgres / TICKS,
  };
}

/** utime and stime; with cutime and cstime where children that have ended are to count. */
async function ticks(pid: number, which: "its own" | "and of its ended children"): Promise<number> {
  const fields = (await statOf(pid)).slice(11, which === "its own" ? 13 : 15);
  return fields.reduce((sum, field) => sum + Number(field), 0);
}

async function parentOf(pid: number): Promise<number> {
  return Number((await statOf(pid))[1]);
}

/** The fields of stat after the program's name, which may hold spaces: state, ppid, and so on. */
async function statOf(pid: number): Promise<string[]> {
  const stat = await read(pid, "stat");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

async function pids(): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) if (/^\d+$/.test(name)) found.push(+name);
  return found;
}

/** Empty for a process that has ended. */
function read(pid: number, file: string): Promise<string> {
  return Deno.readTextFile(`/proc/${pid}/${file}`).catch(() => "");
}
