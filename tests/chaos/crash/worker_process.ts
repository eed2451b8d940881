/** The test's hand on a worker process. */
import { fileURLToPath } from "node:url";
import { textLines } from "../../../local/lines.ts";
import {
  type Command,
  type Crossing,
  type Fuse,
  type Reply,
  reply,
  type StageName,
  type Surroundings,
} from "./protocol.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

/** The process killed itself, as it was told to. */
export class Killed extends Error {
  override name = "Killed";
  constructor(readonly at: Crossing) {
    super(`The worker was killed at "${at.name}"`);
  }
}

/** A worker in a process of its own. Calls are made one after another. */
export class WorkerProcess {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;
  #isAlive = true;

  constructor() {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--config", `${ROOT}/deno.json`, WORKER],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout
      .pipeThrough(new TextDecoderStream()).pipeThrough(textLines()).getReader();
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Begins a life: fresh connections, and a fuse that burns from now on. */
  async open(around: Surroundings, lit: Fuse): Promise<void> {
    await this.#order({ do: "open", ...around, fuse: lit });
  }

  /** Runs a stage until it is drained. Answers what was crossed; throws {@linkcode Killed}. */
  run(stage: StageName): Promise<Crossing[]> {
    return this.#order({ do: "run", stage });
  }

  /** Ends the process and waits until it is gone. Does nothing the second time. */
  async end(): Promise<void> {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    await this.#input.close();
    await this.#output.cancel();
    await this.#child.status;
  }

  async #order(order: Command): Promise<Crossing[]> {
    await this.#input.write(new TextEncoder().encode(`${JSON.stringify(order)}\n`));
    const said = await this.#next();
    switch (said.say) {
      case "done":
        return said.crossings;
      case "failed":
        throw new Error(`The worker failed: ${said.error}`);
      case "dying":
        await this.#bury(said.at);
        throw new Killed(said.at);
    }
  }

  async #next(): Promise<Reply> {
    const { value, done } = await this.#output.read();
    if (!done) return reply.parse(JSON.parse(value));
    const { code, signal } = await this.#child.status;
    throw new Error(`The worker ended by itself (code ${code}, signal ${signal})`);
  }

  async #bury(at: Crossing): Promise<void> {
    this.#isAlive = false;
    const { signal } = await this.#child.status;
    await this.#output.cancel();
    await this.#input.close().catch(() => {});
    if (signal !== "SIGKILL") throw new Error(`At "${at.name}" the worker ended by ${signal}`);
  }
}
