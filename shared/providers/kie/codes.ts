/**
 * KIE's codes in the kinds of the port. They come in the body of an answer whose HTTP status is mostly
 * 200, and as the `failCode` of a task. From docs.kie.ai (Get Task Details, Get Account Credits, the
 * pages of the Veo API).
 */
import { keptMessage } from "../answer_text.ts";
import type { ErrorKind, ProviderError } from "../provider.ts";

/** What the code of an answer says. */
const byCode = new Map<number, ErrorKind>([
  [400, "validation"],
  [401, "auth"],
  [402, "balance"],
  [403, "auth"],
  [404, "not_found"],
  [408, "timeout"], // nothing from the engine for ten minutes
  [422, "validation"],
  [429, "rate"],
  [433, "balance"], // this key's own cap on spending
  [451, "validation"], // our picture could not be fetched
  [455, "server"], // maintenance
  [501, "provider"],
  [505, "model_off"],
]);

/**
 * Codes of a create that say no before anything was bought. 500 is not among them, nor is 408 or 501,
 * nor any code that is not documented: the task may be there, and handing it over again may buy twice.
 */
const turnedAway = new Set([400, 401, 402, 403, 404, 422, 429, 433, 451, 455, 505]);

/** What the `failCode` of a task says; anything else is the engine's own trouble. */
const byFailCode = new Map<number, ErrorKind>([
  [400, "validation"],
  [401, "auth"],
  [402, "balance"],
  [408, "timeout"],
  [422, "validation"],
  [429, "rate"],
  [433, "balance"],
  [451, "validation"],
  [455, "unavailable"],
  [505, "model_off"],
]);

/** Words with which the engines behind KIE refuse content; their codes do not tell it. */
const refusedContent =
  /flagged|moderat|nsfw|safety|sensitive|prohibited|inappropriate|explicit content|violat|(content|usage) polic|copyright/i;
const gaveUpWaiting = /time(d)?[ -]?out/i;
const NO_MESSAGE = "KIE gave no message";

/** The error that an answer's code stands for. */
export function errorOf(
  { code, message, retryAfterSeconds, raw }: {
    readonly code: number;
    readonly message: string;
    readonly retryAfterSeconds?: number;
    readonly raw: unknown;
  },
): ProviderError {
  return {
    kind: kindOfCode(code, message),
    code: String(code),
    message: keptMessage(message || NO_MESSAGE),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    raw,
  };
}

/** Whether a create with this answer bought nothing, for certain. */
export function isTurnedAway(code: number): boolean {
  return turnedAway.has(code);
}

/** Why a task failed, by its `failCode` and `failMsg`. */
export function failureOf(
  { code, message, raw }: { code: string; message: string; raw: unknown },
): ProviderError {
  return {
    kind: kindOfFailure(Number(code), message),
    code: code === "" ? "fail" : code,
    message: keptMessage(message || NO_MESSAGE),
    raw,
  };
}

function kindOfCode(code: number, message: string): ErrorKind {
  const kind = byCode.get(code) ?? (code >= 500 ? "server" : "unknown");
  const mayBeRefusal = kind === "validation" || kind === "provider";
  return mayBeRefusal && refusedContent.test(message) ? "safety" : kind;
}

function kindOfFailure(code: number, message: string): ErrorKind {
  if (refusedContent.test(message)) return "safety";
  return byFailCode.get(code) ?? (gaveUpWaiting.test(message) ? "timeout" : "provider");
}
