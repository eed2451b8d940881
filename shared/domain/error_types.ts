/** The error classes of `generate-video` and `wait-video`, from our own codes. Pure. */

/** What a client of these functions sorts errors by. */
export const errorTypes = [
  "AUTHENTICATION_FAILED",
  "RATE_LIMIT_EXCEEDED",
  "INVALID_PROMPT",
  "PROCESSING_FAILED",
  "DOWNLOAD_FAILED",
  "UPLOAD_FAILED",
  "TIMEOUT",
  "UNKNOWN",
] as const;
/** One of the classes. */
export type ErrorType = typeof errorTypes[number];

/**
 * Codes of refusals, of failed videos (`videos.error_code`) and of files that could not be stored
 * (`video_jobs.error_code` of kind "storing"). What is not here is UNKNOWN: too few gems, for
 * example.
 */
const byCode: ReadonlyMap<string, ErrorType> = new Map(Object.entries<ErrorType>({
  unauthorized: "AUTHENTICATION_FAILED",

  queue_limit: "RATE_LIMIT_EXCEEDED",
  daily_limit: "RATE_LIMIT_EXCEEDED",
  provider_busy: "RATE_LIMIT_EXCEEDED",

  invalid_request: "INVALID_PROMPT",
  malformed_body: "INVALID_PROMPT",
  body_too_large: "INVALID_PROMPT",
  unsupported_option: "INVALID_PROMPT",
  content_refused: "INVALID_PROMPT",

  provider_failed: "PROCESSING_FAILED",
  provider_unavailable: "PROCESSING_FAILED",
  worker_lost: "PROCESSING_FAILED",

  timed_out: "TIMEOUT",
  not_started: "TIMEOUT",

  host_not_allowed: "DOWNLOAD_FAILED",
  gone: "DOWNLOAD_FAILED",
  unavailable: "DOWNLOAD_FAILED",
  wrong_content: "DOWNLOAD_FAILED",
  too_large: "DOWNLOAD_FAILED",
  cut: "DOWNLOAD_FAILED",

  storing_failed: "UPLOAD_FAILED",
  storing_deadline: "UPLOAD_FAILED",
  copy_failed: "UPLOAD_FAILED",
  storage_unavailable: "UPLOAD_FAILED",
}));

/** The class of a failed video: by why its file could not be stored, where that is known. */
export function errorTypeOfVideo(code: string, storingCode?: string): ErrorType {
  return byCode.get(storingCode ?? code) ?? byCode.get(code) ?? "UNKNOWN";
}

/** The class of a refused request. */
export function errorTypeOfRefusal(code: string): ErrorType {
  // The same word stands for a link that is dead and for a database that does not answer.
  return code === "unavailable" ? "UNKNOWN" : byCode.get(code) ?? "UNKNOWN";
}
