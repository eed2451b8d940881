/** Tries one mutation: does a test go red without the guard, and green again with it? */
import type { Mutation, Suite } from "./mutation.ts";
import { type Outcome, runTests } from "./test_run.ts";
import type { Workbench } from "./workbench.ts";

/** What became of a mutation. */
export type Verdict =
  & { readonly mutation: Mutation }
  & (
    | {
      readonly verdict: "caught";
      readonly by: Red | null;
      /** Null where nobody was asked to notice under fire, or only they were asked. */
      readonly underFire: Red | null;
    }
    | { readonly verdict: "survived"; readonly why: string }
  );

/** A test that was red without the guard and green with it. */
export interface Red {
  readonly file: string;
  readonly test: string;
}

/** Which tests are asked. */
export type Asked = "all" | "under fire";

/**
 * Runs the mutation's tests file by file until one notices; then, where it has any, the suites under
 * fire, of which one has to notice, too.
 */
export async function tryMutation(
  bench: Workbench,
  mutation: Mutation,
  asked: Asked = "all",
): Promise<Verdict> {
  const files = mutation.tests.map((file): Suite => ({ file }));
  const by = asked === "all" ? await firstRed(bench, mutation, files) : null;
  if (typeof by === "string") return { mutation, verdict: "survived", why: by };
  const { underFire: suites } = mutation;
  const underFire = suites === undefined ? null : await firstRed(bench, mutation, suites);
  return typeof underFire === "string"
    ? { mutation, verdict: "survived", why: underFire }
    : { mutation, verdict: "caught", by, underFire };
}

/** A suite of minutes that many mutations share is run once with all guards, not once for each of them. */
const withAllGuards = new WeakMap<Suite, Map<string, Promise<Outcome>>>();

function withGuards(bench: Workbench, suite: Suite, test: string): Promise<Outcome> {
  const known = withAllGuards.get(suite) ?? new Map<string, Promise<Outcome>>();
  withAllGuards.set(suite, known);
  const { file, env = {} } = suite;
  const outcome = known.get(test) ?? runTests(bench.dir, file, { only: test, env });
  known.set(test, outcome);
  return outcome;
}

/** The first test that notices, or why none did. */
async function firstRed(
  bench: Workbench,
  mutation: Mutation,
  suites: readonly Suite[],
): Promise<Red | string> {
  const crashes: string[] = [];
  for (const suite of suites) {
    const { file, env = {} } = suite;
    const broken = await bench.without(mutation, () => runTests(bench.dir, file, { env }));
    if (broken.outcome === "crashed") crashes.push(`"${file}" did not run: ${broken.said}`);
    if (broken.outcome !== "red") continue;
    // A test that is red anyway has noticed nothing.
    const whole = await withGuards(bench, suite, broken.test);
    if (whole.outcome === "green") return { file, test: broken.test };
    crashes.push(`"${broken.test}" is ${whole.outcome} with the guard, too`);
  }
  if (crashes.length > 0) return crashes.join("; ");
  return `green: ${suites.map(({ file }) => file).join(", ")}`;
}
