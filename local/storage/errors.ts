/** A refusal in the words of hosted Supabase Storage. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  constructor(readonly statusCode: number, readonly error: string, message: string) {
    super(message);
  }

  /**
   * Hosted Storage answers refusals with HTTP 400 and the real status in the body
   * (`statusCode`), which is what storage-js reads; only 5xx stays what it is.
   */
  toResponse(): Response {
    const { statusCode, error, message } = this;
    const status = statusCode >= 500 ? statusCode : 400;
    return Response.json({ statusCode: String(statusCode), error, message }, { status });
  }
}

/** The refusals this API knows; texts and codes as in supabase/storage, src/internal/errors/codes.ts. */
export const refuse = {
  noBucket: () => new StorageError(404, "Bucket not found", "Bucket not found"),
  noObject: () => new StorageError(404, "not_found", "Object not found"),
  duplicate: () => new StorageError(409, "Duplicate", "The resource already exists"),
  forbidden: () =>
    new StorageError(403, "Unauthorized", "new row violates row-level security policy"),
  invalidKey: (key: string) => new StorageError(400, "InvalidKey", `Invalid key: ${key}`),
  invalidToken: (message: string) => new StorageError(400, "InvalidJWT", message),
  invalidSignature: () => new StorageError(400, "InvalidSignature", "Invalid signature"),
  invalidParameter: (message: string) => new StorageError(400, "InvalidParameter", message),
  invalidRange: () => new StorageError(416, "InvalidRange", "invalid range provided"),
  invalidMimeType: (type: string) =>
    new StorageError(415, "invalid_mime_type", `mime type ${type} is not supported`),
  tooLarge: () =>
    new StorageError(413, "Payload too large", "The object exceeded the maximum allowed size"),
  unknownRoute: (route: string) =>
    new StorageError(404, "not_found", `"${route}" is not served by the local stack`),
} as const;
