/** Questions about processes that are not our children. */

/**
 * Whether process `pid` runs and its command line mentions `mentions` (so a reused number is told
 * apart).
 */
export async function isAlive(pid: number, { mentions }: { mentions: string }): Promise<boolean> {
  return (await commandLine(pid)).includes(mentions);
}

/** Waits until `pid` is gone; false when it still runs after `timeoutMs`. */
export async function waitUntilGone(pid: number, timeoutMs: number): Promise<boolean> {
  const end = Date.now() + timeoutMs;
  while (await commandLine(pid) !== "") {
    if (Date.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

/** Empty when there is no such process, or it has ended and only waits to be collected. */
async function commandLine(pid: number): Promise<string> {
  if (Deno.build.os === "linux") {
    const text = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
    return text.replaceAll("\0", " ");
  }
  const ps = new Deno.Command("ps", { args: ["-o", "command=", "-p", String(pid)] });
  const text = new TextDecoder().decode((await ps.output()).stdout).trim();
  return text === "<defunct>" || text.startsWith("(") ? "" : text;
}
