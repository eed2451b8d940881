import { assertEquals } from "@std/assert";
import {
  errorTypeOfRefusal,
  errorTypeOfVideo,
  errorTypes,
} from "../../shared/domain/error_types.ts";
import { failureCode } from "../../shared/domain/failure_messages.ts";
import { MediaError } from "../../shared/storage/media_fetch.ts";

Deno.test("each refusal has its class", () => {
  const classes = {
    unauthorized: "AUTHENTICATION_FAILED",
    queue_limit: "RATE_LIMIT_EXCEEDED",
    unsupported_option: "INVALID_PROMPT",
    content_refused: "INVALID_PROMPT",
    malformed_body: "INVALID_PROMPT",
    provider_unavailable: "PROCESSING_FAILED",
    insufficient_gems: "UNKNOWN",
    not_found: "UNKNOWN",
    unavailable: "UNKNOWN",
    internal_error: "UNKNOWN",
    constructor: "UNKNOWN",
  };
  for (const [code, type] of Object.entries(classes)) {
    assertEquals(errorTypeOfRefusal(code), type, code);
  }
});

Deno.test("a failed video has the class of why it failed", () => {
  const kinds = ["safety", "validation", "rate", "provider", "server", "timeout", "auth"] as const;
  assertEquals(kinds.map((kind) => errorTypeOfVideo(failureCode(kind))), [
    ...["INVALID_PROMPT", "INVALID_PROMPT", "RATE_LIMIT_EXCEEDED", "PROCESSING_FAILED"],
    ...["PROCESSING_FAILED", "TIMEOUT", "PROCESSING_FAILED"],
  ]);
  assertEquals(errorTypeOfVideo("not_started"), "TIMEOUT");
  assertEquals(errorTypeOfVideo("something new"), "UNKNOWN");
});

Deno.test("a file that could not be fetched is told from one that could not be stored", () => {
  const gone = new MediaError("gone", "The link is dead");
  assertEquals(errorTypeOfVideo("storing_failed", gone.code), "DOWNLOAD_FAILED");
  assertEquals(errorTypeOfVideo("storing_failed", "unavailable"), "DOWNLOAD_FAILED");
  assertEquals(errorTypeOfVideo("storing_failed", "copy_failed"), "UPLOAD_FAILED");
  assertEquals(errorTypeOfVideo("storing_failed", "a new code"), "UPLOAD_FAILED");
  assertEquals(errorTypeOfVideo("storing_failed"), "UPLOAD_FAILED");
});

Deno.test("every class is some code's", () => {
  const codes = ["unauthorized", "queue_limit", "invalid_request", "provider_failed", "cut"];
  const told = new Set(
    [...codes, "storing_failed", "timed_out", "?"].map((one) => errorTypeOfVideo(one)),
  );
  assertEquals([...told], [...errorTypes]);
});
