/** What every provider's answer is read with, whatever its form. */
import { storable } from "../storable.ts";
import { type ProviderError, RESULT_UNREADABLE } from "./provider.ts";

/** Characters of a provider's message that are worth keeping. */
const MESSAGE_MAX = 1_000;

/**
 * The JSON of a body, fit for the database; undefined where it is none, or nested deeper than
 * anybody sends.
 */
export function parseJson(text: string): unknown {
  try {
    return storable(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** A message cut to what is kept. A cut may split a character in two, and Postgres refuses halves. */
export function keptMessage(message: string): string {
  return message.slice(0, MESSAGE_MAX).toWellFormed();
}

/** An answer, or a part of it, that says nothing we know. */
export function unreadable(message: string, raw: unknown): ProviderError {
  return { kind: "server", code: "unreadable", message, raw };
}

/** A task that was made, by an answer in which we find no file. */
export function unreadableResult(message: string, raw: unknown): ProviderError {
  return { kind: "server", code: RESULT_UNREADABLE, message, raw };
}
