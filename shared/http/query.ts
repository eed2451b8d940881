/** The names in a query. */
import { oneOf } from "../one_of.ts";
import { invalidFields } from "./http_error.ts";

/** What supabase-js adds for a region, and what the platform takes where no header can be sent. */
const OF_THE_PLATFORM = ["forceFunctionRegion", "apikey"];

/** 400 with each name that the door does not know: a mistyped one would be taken for none. */
export function refuseUnknownNames(query: URLSearchParams, known: readonly string[]): void {
  const names = [...new Set(query.keys())];
  const unknown = names.filter((name) => ![...known, ...OF_THE_PLATFORM].includes(name));
  if (unknown.length === 0) return;
  throw invalidFields(
    400,
    unknown.map((field) => ({
      field,
      message: `is not a parameter of this function, which takes ${oneOf(known)}`,
    })),
  );
}
