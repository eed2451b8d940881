/**
 * Every function starts and answers on the Deno line of hosted Supabase, with its own deno.json.
 */
import { inParallel } from "../../shared/in_parallel.ts";
import { makeKeys, publicJwks } from "../keys.ts";
import { findAnswerFaults } from "./answers.ts";
import { type FunctionStart, HOSTED_DENO, hostedDeno, startFunction } from "./function_process.ts";
import { type Problems, problemsOf, type Report } from "./report.ts";
import type { Workspace } from "./workspace.ts";

/** Starting is mostly computing, and other checks run at the same time. */
const AT_ONCE = 2;
const WEBHOOK_SECRET = "PROVIDER_WEBHOOK_SECRET";

/** Starts each function and calls it without credentials; then the webhook without its secret. */
export async function verifyFunctions(report: Report, workspace: Workspace): Promise<void> {
  const shared = { deno: await hostedDeno(workspace), workspace, env: await harmlessEnvironment() };
  const names = workspace.functions;
  const found = await inParallel(names, AT_ONCE, (name) => {
    return problemsOf(() => callWithoutCredentials({ ...shared, name }));
  });
  for (const [index, name] of names.entries()) {
    const what = `${name} starts on ${HOSTED_DENO} and turns away a caller without credentials`;
    await report.check(what, () => Promise.resolve(found[index] ?? ["It was not tried"]));
  }
  for (const [how, value] of [["without", undefined], ["with a short", "too-short"]] as const) {
    await report.check(
      `F14 runware-webhook does not start ${how} ${WEBHOOK_SECRET}`,
      () => startWithSecret({ ...shared, name: "runware-webhook" }, value),
    );
  }
}

/** Right in form and useless: nothing is reached with them. */
async function harmlessEnvironment(): Promise<Record<string, string>> {
  const keys = await makeKeys();
  return {
    SUPABASE_URL: "http://127.0.0.1:9",
    SUPABASE_DB_URL: "postgresql://nobody@127.0.0.1:9/nothing",
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret, cron: keys.cron }),
    SUPABASE_JWKS: JSON.stringify(publicJwks(keys)),
    RUNWARE_API_KEY: "not-a-key",
    RUNWARE_URL: "http://127.0.0.1:9/v1",
    [WEBHOOK_SECRET]: keys.webhookSecret,
    WEBHOOK_BASE_URL: "off",
  };
}

async function callWithoutCredentials(start: FunctionStart): Promise<Problems> {
  const running = await startFunction(start);
  if (!running.up) return [`It ends with ${running.code}: ${running.said.slice(-600)}`];
  try {
    const call = async (method: string) => {
      const response = await fetch(running.url, { method });
      return { status: response.status, text: await response.text() };
    };
    return findAnswerFaults({
      GET: await call("GET"),
      POST: await call("POST"),
      OPTIONS: await call("OPTIONS"),
    });
  } finally {
    await running.stop();
  }
}

/** A function that lacks its secret must end, and say which variable it misses. */
async function startWithSecret(
  start: FunctionStart,
  secret: string | undefined,
): Promise<Problems> {
  const { [WEBHOOK_SECRET]: _removed, ...rest } = start.env;
  const env = secret === undefined ? rest : { ...rest, [WEBHOOK_SECRET]: secret };
  const running = await startFunction({ ...start, env });
  if (running.up) {
    await running.stop();
    return ["It starts"];
  }
  const faults = running.said.includes(WEBHOOK_SECRET) ? [] : [
    `It ends without naming the variable: ${running.said.slice(-600)}`,
  ];
  return secret !== undefined && running.said.includes(secret)
    ? [...faults, "It prints the secret"]
    : faults;
}
