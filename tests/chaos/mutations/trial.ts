/** Tries one mutation: does a test go red without the guard, and green again with it? */
import type { Mutation } from "./mutation.ts";
import { runTests } from "./test_run.ts";
import type { Workbench } from "./workbench.ts";

/** What became of a mutation. */
export type Verdict =
  & { readonly mutation: Mutation }
  & (
    | { readonly verdict: "caught"; readonly file: string; readonly test: string }
    | { readonly verdict: "survived"; readonly why: string }
  );

/** Runs the mutation's tests file by file until one notices. */
export async function tryMutation(bench: Workbench, mutation: Mutation): Promise<Verdict> {
  const crashes: string[] = [];
  for (const file of mutation.tests) {
    const broken = await bench.without(mutation, () => runTests(bench.dir, file));
    if (broken.outcome === "crashed") crashes.push(`"${file}" did not run: ${broken.said}`);
    if (broken.outcome !== "red") continue;
    // A test that is red anyway has noticed nothing.
    const whole = await runTests(bench.dir, file, { only: broken.test });
    if (whole.outcome === "green") return { mutation, verdict: "caught", file, test: broken.test };
    crashes.push(`"${broken.test}" is ${whole.outcome} with the guard, too`);
  }
  const why = crashes.length > 0 ? crashes.join("; ") : `green: ${mutation.tests.join(", ")}`;
  return { mutation, verdict: "survived", why };
}
