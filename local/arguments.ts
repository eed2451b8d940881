/** The arguments of the tasks of the stack. */

/**
 * Those that the task `name` was given, which are among `known`. For anything else it prints how
 * the task is called and ends the process, before anything was done.
 */
export function taskArguments(name: string, known: readonly string[] = []): readonly string[] {
  const usage = ["Usage: deno task", name, ...known.map((argument) => `[${argument}]`)].join(" ");
  if (Deno.args.includes("--help")) {
    console.log(usage);
    Deno.exit(0);
  }
  const unknown = Deno.args.find((argument) => !known.includes(argument));
  if (unknown !== undefined) {
    console.error(`"${unknown}" is not known. ${usage}`);
    Deno.exit(2);
  }
  return Deno.args;
}
