import { type ApiError, DOCUMENTATION, type JsonObject } from "./errors.ts";

/** Thrown by a check that refuses a task; caught where the task is answered. */
export class TaskRefusal extends Error {
  override readonly name = "TaskRefusal";

  constructor(readonly error: ApiError) {
    super(error.message);
  }
}

/** Refuses the task with `code`. */
export function refuse(code: string, message: string, more: Partial<ApiError> = {}): never {
  throw new TaskRefusal({ code, message, documentation: DOCUMENTATION, ...more });
}

/** Limits of a number parameter. */
export interface NumberLimits {
  readonly type: "integer" | "float";
  readonly min: number;
  readonly max: number;
  readonly multiplier?: number;
}

/** The number in `task[field]`; undefined when absent. */
export function readNumber(
  task: JsonObject,
  field: string,
  limits: NumberLimits,
): number | undefined {
  const value = task[field];
  if (value === undefined) return undefined;
  const fits = typeof value === "number" && value >= limits.min && value <= limits.max &&
    (limits.type === "float" || Number.isInteger(value)) &&
    (limits.multiplier === undefined || value % limits.multiplier === 0);
  if (fits) return value;
  const step = limits.multiplier === undefined ? "" : `, in multiples of ${limits.multiplier}`;
  refuse(
    codeOf("invalid", field),
    `Invalid value ${JSON.stringify(value)} for '${field}': it must be ${
      limits.type === "integer" ? "an integer" : "a number"
    } between ${limits.min} and ${limits.max}${step}.`,
    { parameter: field, ...limits },
  );
}

/** The text in `task[field]`; undefined when absent. */
export function readText(
  task: JsonObject,
  field: string,
  limits: { readonly min: number; readonly max: number },
): string | undefined {
  const value = task[field];
  if (value === undefined) return undefined;
  if (typeof value !== "string") {
    refuse(codeOf("invalid", field), `Invalid value for '${field}': it must be a string.`, {
      parameter: field,
      type: "string",
    });
  }
  if (value.length < limits.min || value.length > limits.max) {
    refuse(
      `${codeOf("invalid", field)}Length`,
      `'${field}' has ${value.length} characters: it must have ${limits.min} to ${limits.max}.`,
      { parameter: field, type: "string", ...limits },
    );
  }
  return value;
}

/** The boolean in `task[field]`; false when absent. */
export function readFlag(task: JsonObject, field: string): boolean {
  const value = task[field];
  if (value === undefined || typeof value === "boolean") return value ?? false;
  refuse(
    codeOf("invalid", field),
    `Invalid value ${JSON.stringify(value)} for '${field}': it must be true or false.`,
    { parameter: field, type: "boolean" },
  );
}

/** Refuses the task when `task[field]` is there and none of `allowed`. */
export function checkChoice(
  task: JsonObject,
  field: string,
  allowed: readonly unknown[],
  code = codeOf("invalid", field),
): void {
  const value = task[field];
  if (value === undefined || allowed.includes(value)) return;
  refuse(
    code,
    `Unsupported value ${JSON.stringify(value)} for '${field}': it must be one of ${
      allowed.map((one) => JSON.stringify(one)).join(", ")
    }.`,
    { parameter: field, allowedValues: allowed },
  );
}

/** The http(s) URL in `task[field]`; undefined when absent. */
export function readUrl(task: JsonObject, field: string): string | undefined {
  const value = task[field];
  if (value === undefined) return undefined;
  if (typeof value === "string" && isWebUrl(value)) return value;
  refuse(codeOf("invalid", field), `Invalid value for '${field}': it must be an http(s) URL.`, {
    parameter: field,
    type: "string",
  });
}

/** Whether `value` is an absolute http or https URL. */
export function isWebUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

/** `invalid` and `webhookURL` make `invalidWebhookURL`, as the API names its codes. */
function codeOf(prefix: "invalid" | "missing" | "unsupported", field: string): string {
  return `${prefix}${field.charAt(0).toUpperCase()}${field.slice(1)}`;
}
