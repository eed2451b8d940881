/** Adds `error_type` to a door's error answers. */
import { errorTypeOfRefusal } from "../domain/error_types.ts";
import type { EdgeFunction } from "./door.ts";
import { errorAnswer } from "./error_answer.ts";

/** The same function; each error it answers has an `error_type` beside what every error has. */
export function withErrorTypes(inner: EdgeFunction): EdgeFunction {
  return {
    async fetch(request) {
      const response = await inner.fetch(request);
      if (response.status < 400) return response;
      const error = errorAnswer.parse(await response.json());
      return Response.json({ ...error, error_type: errorTypeOfRefusal(error.code) }, {
        status: response.status,
        headers: response.headers,
      });
    },
  };
}
