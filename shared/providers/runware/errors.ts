/**
 * Runware's error codes, sorted into the kinds of the port. Codes: runware.ai/docs/platform/errors
 * and the tables of Runware's own SDK (github.com/Runware/runware-typescript, errors.ts). The vendor
 * says they are still being unified, so families of names are known besides single ones.
 */
import { keptMessage } from "../answer_text.ts";
import type { ErrorKind, ProviderError } from "../provider.ts";
import type { ErrorItem } from "./schemas.ts";

/** Known codes, in lower case. They win over the families below. */
const byCode = new Map<string, ErrorKind>([
  ...kindOfAll("auth", [
    "invalidApiKey missingApiKey unauthorized forbidden permissionDenied authenticationFailed",
    "tokenExpired accountSuspended organizationDisabled",
  ]),
  ...kindOfAll("balance", [
    "insufficientCredits providerInsufficientCredits thirdPartyInsufficientCredits quotaExceeded",
    "paymentRequired",
  ]),
  ...kindOfAll("rate", ["rateLimitExceeded inferenceRateLimitExceeded providerRateLimitExceeded"]),
  ...kindOfAll("safety", [
    "contentPolicyViolation providerContentPolicyViolation sensitiveContentDetected",
    "unsafeContentDetected nsfwContentDetected promptBlocked imageBlocked moderationFailed",
    // Named like bad input, but it is the upstream engine's moderation.
    "invalidProviderContent",
  ]),
  ...kindOfAll("provider", [
    "providerError providerBadGateway providerInternalError inferenceError",
    "processingFailed taskFailed downloadFailed uploadFailed",
  ]),
  ...kindOfAll("timeout", ["timeoutProvider"]),
  ...kindOfAll("unavailable", [
    "noAvailableServer providerUnavailable modelUnavailable modelNotReady",
  ]),
  ...kindOfAll("model_off", ["modelDisabled modelNotFound"]),
  ...kindOfAll("not_found", [
    "taskNotFound taskExpired mediaExpired taskFailedOrNotFound taskCancelled",
  ]),
  ...kindOfAll("server", [
    "internalServerError serviceUnavailable serverUnavailable standardError unknownError",
  ]),
  ...kindOfAll("validation", [
    // Named like a pace, but the request is too big however often it is sent.
    "inferenceRateLimitRequestTooLarge",
    "unknownParameter incompatibleParameters validationFailed",
  ]),
]);

/** Families of names, first match wins. */
const byFamily: readonly (readonly [RegExp, ErrorKind])[] = [
  [
    /^(invalid|missing|conflict|duplicate|unsupported|value|array|max|mismatch)(?=[A-Z_]|$)/,
    "validation",
  ],
  [/moderat|nsfw|content_?policy|sensitive|unsafe/i, "safety"],
  [/time_?out/i, "timeout"],
  [/rate_?limit|too_?many/i, "rate"],
  [/credit|payment|quota|balance/i, "balance"],
  [/api_?key|unauthori[sz]ed|forbidden|permission/i, "auth"],
  [/not_?found/i, "not_found"],
  [/^provider(?=[A-Z_]|$)/, "provider"],
];

/** Words with which upstream engines refuse content inside an error of another name. */
const refusedContent =
  /moderat|nsfw|safety (system|filter|polic|check)|content (polic|filter)|usage polic|polic(y|ies) violation|violat\w* .{0,40}polic|sensitive (content|information)|inappropriate|prohibited content|explicit content/i;

/** A status says something only where no code does. 404 is a wrong address, not a lost task. */
const byStatus = new Map<number, ErrorKind>([
  [401, "auth"],
  [402, "balance"],
  [403, "auth"],
  [429, "rate"],
]);

/** The kind of one error of Runware. `status` is that of the HTTP answer it came with. */
export function kindOfError(item: ErrorItem, status?: number): ErrorKind {
  const kind = kindOfCode(item.code) ?? kindOfStatus(status) ?? "unknown";
  // Moderation hides under providerError, its reason only in what the engine said (seen in the field).
  return (kind === "provider" || kind === "unknown") && isRefusal(item) ? "safety" : kind;
}

/** The kind a bare HTTP status stands for, or undefined where it tells nothing. */
export function kindOfStatus(status: number | undefined): ErrorKind | undefined {
  if (status === undefined) return undefined;
  return byStatus.get(status) ?? (status >= 500 ? "server" : undefined);
}

/** One error of Runware in the words of the port. */
export function toProviderError(
  item: ErrorItem,
  from: { readonly status?: number; readonly retryAfterSeconds?: number } = {},
): ProviderError {
  const { status, retryAfterSeconds } = from;
  return {
    kind: kindOfError(item, status),
    code: item.code,
    message: keptMessage(item.message),
    ...(item.parameter === undefined ? {} : { parameter: item.parameter }),
    ...(item.allowedValues === undefined ? {} : { allowedValues: item.allowedValues }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    raw: item.raw,
  };
}

function kindOfCode(code: string): ErrorKind | undefined {
  return byCode.get(code.toLowerCase()) ?? byFamily.find(([family]) => family.test(code))?.[1];
}

function isRefusal(item: ErrorItem): boolean {
  // Longer than any engine's sentence, and as long as a search may take that looks back.
  return refusedContent.test(`${item.message} ${item.details}`.slice(0, 4_000));
}

function kindOfAll(kind: ErrorKind, lines: readonly string[]): [string, ErrorKind][] {
  return lines.join(" ").split(" ").map((code) => [code.toLowerCase(), kind]);
}
