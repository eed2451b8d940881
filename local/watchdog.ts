/** A tiny process that tidies up after us when we die without having been able to do it. */
export interface Watchdog {
  /** Ends the watch; nothing is touched. */
  dismiss(): Promise<void>;
}

/**
 * Sends SIGINT to `pid` as soon as this process is gone, even by SIGKILL: the kernel then closes
 * the pipe that the watchdog reads from. Then removes `folder`, if given. It ignores the signals a
 * terminal sends to all of us.
 */
export function startWatchdog(pid: number, folder = ""): Watchdog {
  const script = `trap "" INT TERM HUP
    read -r done && exit
    kill -INT "$1" || exit
    [ -n "$2" ] || exit
    while kill -0 "$1"; do sleep 0.1; done
    rm -rf "$2"`;
  const child = new Deno.Command("sh", {
    args: ["-c", script, "gemreel-watchdog", String(pid), folder],
    cwd: "/",
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  // An idle watchdog must not keep the program alive.
  child.unref();
  return {
    async dismiss() {
      child.ref();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode("done\n")).catch(() => {});
      await writer.close().catch(() => {});
      await child.status;
    },
  };
}
