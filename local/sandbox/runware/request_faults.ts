import { httpStatusOf, requestError } from "./errors.ts";
import type { RequestFaultName, RequestKind } from "./knob_store.ts";
import type { Parts } from "./parts.ts";
import { answer, type Reply } from "./reply.ts";

/** Faults that strike before any task is read, in the order they are looked at. */
const EARLY: readonly {
  readonly name: RequestFaultName;
  readonly reply: (parts: Parts) => Reply;
}[] = [
  { name: "droppedRequest", reply: () => ({ kind: "drop" }) },
  { name: "invalidApiKey", reply: () => refused("invalidApiKey", "The API key is not valid.") },
  {
    name: "insufficientCredits",
    reply: () => refused("insufficientCredits", "The account has not enough credits."),
  },
  { name: "rateLimit", reply: rateLimited },
  {
    name: "serverError",
    reply: () => refused("internalServerError", "An unexpected error occurred."),
  },
  {
    name: "noServer",
    reply: () => refused("noAvailableServer", "There is no server available for this request."),
  },
];

/** Faults that strike after the tasks were taken. */
const LATE: readonly { readonly name: RequestFaultName; readonly reply: () => Reply }[] = [
  { name: "lostAck", reply: () => ({ kind: "drop" }) },
  { name: "hungAck", reply: () => ({ kind: "silence" }) },
  {
    name: "lateServerError",
    reply: () => refused("internalServerError", "An unexpected error occurred."),
  },
  { name: "emptyAck", reply: () => answer(200, { data: [] }) },
  {
    name: "badJson",
    reply: () => ({
      kind: "page",
      status: 200,
      body: "<!doctype html><title>Sandbox</title><h1>This is not JSON</h1>",
    }),
  },
];

/** The fault that strikes this request before it is read; undefined where none does. */
export function earlyFault(parts: Parts, kind: RequestKind): Reply | undefined {
  return EARLY.find(({ name }) => parts.knobs.drawFor(kind, name, parts.random))?.reply(parts);
}

/** The fault that strikes this request after it was carried out; undefined where none does. */
export function lateFault(parts: Parts, kind: RequestKind): Reply | undefined {
  return LATE.find(({ name }) => parts.knobs.drawFor(kind, name, parts.random))?.reply();
}

function refused(code: string, message: string): Reply {
  return answer(httpStatusOf(code), requestError(code, message));
}

function rateLimited({ knobs }: Parts): Reply {
  const code = "rateLimitExceeded";
  const seconds = knobs.values.retryAfterSeconds;
  const headers = seconds === null ? undefined : { "retry-after": `${seconds}` };
  return answer(httpStatusOf(code), requestError(code, "Too many requests."), headers);
}
