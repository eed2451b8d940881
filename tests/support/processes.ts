/** A look at our child processes. */

/** Our only child process whose command line names `file`, as `ps` tells of it. */
async function childOf(file: string): Promise<{ pid: number; rss: number }> {
  const args = ["-eo", "pid=,ppid=,rss=,args="];
  const { stdout } = await new Deno.Command("ps", { args }).output();
  const found = new TextDecoder().decode(stdout).split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match?.[2] === String(Deno.pid) && match[4]?.includes(file));
  const [one, ...others] = found;
  if (!one || others.length > 0) throw new Error(`${found.length} children run "${file}", not one`);
  return { pid: Number(one[1]), rss: Number(one[3]) * 1024 };
}

/** What a child process weighs, in bytes of resident memory. */
export interface Weight {
  /** When the weighing began. */
  readonly idle: number;
  /** Most of all since then; ends the weighing. */
  peak(): Promise<number>;
}

/**
 * Weighs our only child process whose command line names `file`. The kernel itself keeps the peak, and
 * forgets it when told to (proc(5): VmHWM, clear_refs); where there is no /proc it is looked at often.
 */
export async function weigh(file: string): Promise<Weight> {
  const { pid, rss } = await childOf(file);
  const proc = `/proc/${pid}`;
  if (await Deno.stat(proc).then(() => true, () => false)) {
    const kilobytes = async (field: "VmRSS" | "VmHWM") => {
      const status = await Deno.readTextFile(`${proc}/status`);
      return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
    };
    const idle = await kilobytes("VmRSS");
    await Deno.writeTextFile(`${proc}/clear_refs`, "5");
    return { idle, peak: () => kilobytes("VmHWM") };
  }
  let most = rss;
  const look = async () => most = Math.max(most, (await childOf(file)).rss);
  const timer = setInterval(() => void look(), 100);
  return {
    idle: rss,
    async peak() {
      clearInterval(timer);
      return await look();
    },
  };
}
