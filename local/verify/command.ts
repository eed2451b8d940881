/** Runs a program to its end. */

/** What a program left behind. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a program. */
export interface CommandOptions {
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Text for its stdin; without it, stdin is empty. */
  readonly input?: string;
}

/** Runs `program` and waits; an exit code other than 0 is no error here. */
export async function runCommand(program: string, options: CommandOptions): Promise<Ended> {
  const child = new Deno.Command(program, {
    args: [...options.args],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    // Colour codes have no place in what we parse and repeat.
    env: { NO_COLOR: "1", ...options.env },
    stdin: options.input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  if (options.input !== undefined) {
    await new Blob([options.input]).stream().pipeTo(child.stdin);
  }
  const { code, stdout, stderr } = await output;
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Its stdout; throws with the end of what it said when it did not exit with 0. */
export async function runToSuccess(program: string, options: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await runCommand(program, options);
  if (code === 0) return stdout;
  const said = (stderr.trim() || stdout.trim()).slice(-600);
  throw new Error(`"${[program, ...options.args].join(" ")}" exited with ${code}: ${said}`);
}
