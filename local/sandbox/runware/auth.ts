import { isJsonObject, type JsonObject, requestError } from "./errors.ts";
import { answer, type Reply } from "./reply.ts";

/** The authentication task of a request, which must be its first. */
export function authenticationTask(tasks: readonly unknown[]): JsonObject | undefined {
  const [first] = tasks;
  return isJsonObject(first) && first["taskType"] === "authentication" ? first : undefined;
}

/** The answer to a key that is missing or wrong; undefined when `key` is the sandbox's own. */
export function refusedKey(key: unknown, apiKey: string): Reply | undefined {
  if (key === apiKey) return undefined;
  const code = key === undefined ? "missingApiKey" : "invalidApiKey";
  const message = key === undefined
    ? "The API key is missing: send 'Authorization: Bearer <key>' or an authentication task."
    : "The API key is not valid.";
  const more = { parameter: "apiKey", type: "string", taskType: "authentication" };
  return answer(401, requestError(code, message, more));
}

/** The key in an `Authorization: Bearer` header. */
export function bearerKey(header: string | undefined): string | undefined {
  return header?.match(/^Bearer (.+)$/i)?.[1];
}
