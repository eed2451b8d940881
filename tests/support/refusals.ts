/** Reading the errors of our functions. */
import { z } from "zod";

const problem = z.object({ field: z.string() });
const details = z.union([
  z.array(problem),
  problem.transform((one) => [one]),
  z.unknown().transform(() => []),
]);

/** The fields that `details` of an error names: a list of problems, or one thing that is not there. */
export function fieldsOf(value: unknown): string[] {
  return details.parse(value).map(({ field }) => field);
}

/** Words that tell of our inside and that no answer may hold. */
export const INTERNALS =
  /pgrst|postgres|sqlstate|select |insert |update |relation|violates|constraint|jsonb|stack|\.ts\b|node_modules|file:\/\/|rpc|zod|undefined is|TypeError/i;
