/** The crash points of a worker: every crossing of a port, named and counted as it happens. */
import type { Crossing, Fuse, Reply } from "./protocol.ts";

/** Notes each crossing, and ends the process at the one it is told to. */
export class Crossings {
  #stage = "start";
  #seen = new Map<string, number>();
  #total = 0;
  #fuse: Fuse = null;
  #sinceTaken: Crossing[] = [];

  /** Begins a new life: nothing is crossed yet. */
  begin(fuse: Fuse): void {
    this.#fuse = fuse;
    this.#seen = new Map();
    this.#total = 0;
    this.#sinceTaken = [];
  }

  /** The stage that crosses from now on. */
  enter(stage: string): void {
    this.#stage = stage;
  }

  /** What was crossed since the last call, in order. */
  take(): Crossing[] {
    return this.#sinceTaken.splice(0);
  }

  /**
   * One crossing. The same words get a number, so that a name means one point whatever order
   * things that run at once come in.
   */
  cross(words: string, { starts }: { readonly starts: boolean }): void {
    const full = `${this.#stage}: ${words}`;
    const times = (this.#seen.get(full) ?? 0) + 1;
    this.#seen.set(full, times);
    this.#total += 1;
    const name = times === 1 ? full : `${full} (${times})`;
    const at = { stage: this.#stage, name, starts };
    this.#sinceTaken.push(at);
    if (this.#isTheEnd(name)) die(at);
  }

  /** Crosses on both sides of something that others see. */
  effect<T>(words: string, work: () => Promise<T>): Promise<T> {
    return this.#around(words, { starts: true }, work);
  }

  /** Crosses on both sides of a call that is made of effects, each of which is crossed itself. */
  call<T>(words: string, work: () => Promise<T>): Promise<T> {
    return this.#around(words, { starts: false }, work);
  }

  async #around<T>(
    words: string,
    before: { readonly starts: boolean },
    work: () => Promise<T>,
  ): Promise<T> {
    this.cross(`before ${words}`, before);
    const result = await work();
    this.cross(`after ${words}`, { starts: false });
    return result;
  }

  #isTheEnd(name: string): boolean {
    if (this.#fuse === null) return false;
    return "at" in this.#fuse ? this.#fuse.at === name : this.#fuse.crossing === this.#total;
  }
}

/** Nothing is cleaned up, flushed or closed: the kernel takes the process away. */
function die(at: Crossing): never {
  tell({ say: "dying", at });
  Deno.kill(Deno.pid, "SIGKILL");
  for (;;); // SIGKILL leaves no time for another statement; this tells the compiler.
}

/** Says something to the test, at once. */
export function tell(reply: Reply): void {
  const line = new TextEncoder().encode(`${JSON.stringify(reply)}\n`);
  for (let sent = 0; sent < line.byteLength;) sent += Deno.stdout.writeSync(line.subarray(sent));
}
