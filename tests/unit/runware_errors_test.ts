import { assertEquals } from "@std/assert";
import type { ErrorKind } from "../../shared/providers/provider.ts";
import { kindOfError } from "../../shared/providers/runware/errors.ts";
import { readEnvelope } from "../../shared/providers/runware/schemas.ts";

function kindOf(error: Record<string, unknown>, status = 400): ErrorKind | undefined {
  const [item] = readEnvelope({ errors: [error] })?.errors ?? [];
  return item && kindOfError(item, status);
}

/** The classes of Runware's documentation and of its own SDK, and what we must not mistake. */
const codes: Readonly<Record<ErrorKind, string>> = {
  validation: "invalidWidth invalidPositivePrompt missingTaskUUID conflictParameters " +
    "duplicateTaskUUID unsupportedDuration unsupportedParameter unsupportedModelTimeout valueTooLow " +
    "arrayTooLong maxLength unknownParameter incompatibleParameters " +
    "mismatchProviderSettingsProvider validationFailed " +
    "inferenceRateLimitRequestTooLarge",
  auth:
    "invalidApiKey missingApiKey unauthorized forbidden permissionDenied authenticationFailed " +
    "tokenExpired accountSuspended organizationDisabled",
  balance: "insufficientCredits providerInsufficientCredits thirdPartyInsufficientCredits " +
    "quotaExceeded paymentRequired",
  rate: "rateLimitExceeded inferenceRateLimitExceeded providerRateLimitExceeded tooManyRequests",
  safety: "contentPolicyViolation providerContentPolicyViolation sensitiveContentDetected " +
    "unsafeContentDetected nsfwContentDetected promptBlocked imageBlocked moderationFailed " +
    "invalidProviderContent providerModerationRejected",
  provider: "providerError providerBadGateway providerInternalError " +
    "inferenceError processingFailed taskFailed downloadFailed uploadFailed providerSomethingNew",
  timeout: "timeoutProvider providerTimeout providerGatewayTimeout inferenceTimeout webhookTimeout",
  unavailable: "noAvailableServer providerUnavailable modelUnavailable modelNotReady",
  model_off: "modelDisabled modelNotFound",
  not_found: "taskNotFound taskExpired mediaExpired taskFailedOrNotFound taskCancelled",
  server: "internalServerError serviceUnavailable serverUnavailable standardError unknownError",
  unknown: "somethingNobodyHasSeen",
};

for (const [kind, list] of Object.entries(codes)) {
  Deno.test(`errors of the class ${kind} are told apart by their code`, () => {
    for (const code of list.split(" ")) assertEquals([code, kindOf({ code })], [code, kind]);
  });
}

Deno.test("a code in other letters is the same code", () => {
  assertEquals(kindOf({ code: "INVALIDAPIKEY" }), "auth");
});

Deno.test("a status decides only where the code says nothing", () => {
  assertEquals(kindOf({ code: "new" }, 402), "balance");
  assertEquals(kindOf({ code: "new" }, 429), "rate");
  assertEquals(kindOf({ code: "new" }, 503), "server");
  assertEquals(kindOf({ code: "new" }, 404), "unknown");
  assertEquals(kindOf({ code: "providerError" }, 500), "provider");
});

Deno.test("moderation behind an error of another name is seen in what the engine said", () => {
  const refusals: unknown[] = [
    "Your request was rejected by our safety system",
    { error: { message: "Prompt violates our usage policies" } },
    ["The input may contain sensitive information"],
  ];
  for (const responseContent of refusals) {
    assertEquals(kindOf({ code: "providerError", responseContent }), "safety");
  }
  assertEquals(kindOf({ code: "providerError", message: "Content policy violation" }), "safety");
});

Deno.test("an engine that is merely broken is not taken for moderation", () => {
  for (const responseContent of ["Internal error", "GPU out of memory", "Retry policy exhausted"]) {
    assertEquals(kindOf({ code: "providerError", responseContent }), "provider");
  }
});
