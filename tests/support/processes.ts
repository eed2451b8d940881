/** A look at our child processes. */

/** Bytes of memory (resident set) of our only child process whose command line names `file`. */
export async function rssOf(file: string): Promise<number> {
  const args = ["-eo", "ppid=,rss=,args="];
  const { stdout } = await new Deno.Command("ps", { args }).output();
  const found = new TextDecoder().decode(stdout).split("\n")
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((match) => match?.[1] === String(Deno.pid) && match[3]?.includes(file));
  const [one, ...others] = found;
  if (!one || others.length > 0) throw new Error(`${found.length} children run "${file}", not one`);
  return Number(one[2]) * 1024;
}
