/** A look at our child processes. */

/** What `ps` says of our only child process whose command line names `file`. */
async function columnOf(file: string, column: "rss" | "cputimes"): Promise<number> {
  const args = ["-eo", `ppid=,${column}=,args=`];
  const { stdout } = await new Deno.Command("ps", { args }).output();
  const found = new TextDecoder().decode(stdout).split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match?.[1] === String(Deno.pid) && match[3]?.includes(file));
  const [one, ...others] = found;
  if (!one || others.length > 0) throw new Error(`${found.length} children run "${file}", not one`);
  return Number(one[2]);
}

/** Bytes of memory (resident set) of our only child process whose command line names `file`. */
export async function rssOf(file: string): Promise<number> {
  return await columnOf(file, "rss") * 1024;
}

/** Whole seconds of CPU time that child has used. */
export function cpuSecondsOf(file: string): Promise<number> {
  return columnOf(file, "cputimes");
}
