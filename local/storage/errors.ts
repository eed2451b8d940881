/** A refusal in the words of hosted Supabase Storage. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  constructor(
    readonly statusCode: number,
    /** The name clients tell errors apart by. */
    readonly code: string,
    message: string,
    /** The older name some errors have beside their code. */
    readonly error: string = code,
  ) {
    super(message);
  }

  /**
   * Hosted Storage answers refusals with HTTP 400 and the real status in the body
   * (`statusCode`), which is what storage-js reads; only 5xx stays what it is.
   */
  toResponse(): Response {
    const { statusCode, code, error, message } = this;
    const status = statusCode >= 500 ? statusCode : 400;
    return Response.json({ statusCode: String(statusCode), code, error, message }, { status });
  }
}

/**
 * The refusals this API knows; texts and codes as in supabase/storage,
 * src/internal/errors/codes.ts.
 */
export const refuse = {
  noBucket: () => new StorageError(404, "NoSuchBucket", "Bucket not found", "Bucket not found"),
  noObject: () => new StorageError(404, "NoSuchKey", "Object not found", "not_found"),
  duplicate: () =>
    new StorageError(409, "KeyAlreadyExists", "The resource already exists", "Duplicate"),
  forbidden: () =>
    new StorageError(
      403,
      "AccessDenied",
      "new row violates row-level security policy",
      "Unauthorized",
    ),
  invalidKey: (key: string) => new StorageError(400, "InvalidKey", `Invalid key: ${key}`),
  invalidToken: (message: string) => new StorageError(400, "InvalidJWT", message),
  invalidSignature: () => new StorageError(400, "InvalidSignature", "Invalid signature"),
  invalidParameter: (message: string) => new StorageError(400, "InvalidParameter", message),
  invalidRange: () =>
    new StorageError(416, "InvalidRange", "invalid range provided", "invalid_range"),
  invalidMimeType: (type: string) =>
    new StorageError(
      415,
      "InvalidMimeType",
      `mime type ${type} is not supported`,
      "invalid_mime_type",
    ),
  tooLarge: () =>
    new StorageError(
      413,
      "EntityTooLarge",
      "The object exceeded the maximum allowed size",
      "Payload too large",
    ),
  unknownRoute: (route: string) =>
    new StorageError(404, "NotSupported", `"${route}" is not served by the local stack`),
} as const;
