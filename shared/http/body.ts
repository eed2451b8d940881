/** Reads a request body, within bounds, and says which field is wrong. */
import type { z } from "zod";
import { fieldMessage } from "./field_message.ts";
import { type FieldProblem, HttpError, invalidFields } from "./http_error.ts";

/**
 * Reads at most `most` bytes of the body as text. 413 beyond, 400 when it breaks off or is not UTF-8;
 * `lenient` has what is not UTF-8 replaced.
 */
export async function readText(
  request: Request,
  most: number,
  { lenient = false }: { readonly lenient?: boolean } = {},
): Promise<string> {
  const bytes = await readBytes(request, most);
  try {
    return new TextDecoder("utf-8", { fatal: !lenient }).decode(bytes);
  } catch (cause) {
    throw new HttpError(400, "malformed_body", "The body is not valid UTF-8", { cause });
  }
}

async function readBytes(request: Request, most: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new HttpError(413, "body_too_large", `The body is larger than ${most} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > most) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength;
      if (size > most) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof HttpError) throw cause;
    throw new HttpError(400, "malformed_body", "The body broke off", { cause });
  }
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

/** Reads a JSON body that fits the schema, or the one chosen for it; every problem names its field. */
export async function readJson<T>(
  request: Request,
  schema: z.ZodType<T> | ((value: unknown) => Promise<z.ZodType<T>>),
  { most = 32_768 }: { most?: number } = {},
): Promise<T> {
  const text = await readText(request, most);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HttpError(400, "malformed_body", "The body is not valid JSON", { cause });
  }
  return parseFields(value, typeof schema === "function" ? await schema(value) : schema);
}

/** Parses a value; a misfit is a 400 with one problem per field. */
export function parseFields<T>(value: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(value, { error: fieldMessage });
  if (result.success) return result.data;
  throw invalidFields(400, fieldProblems(result.error));
}

/** What does not fit, field by field; `of` is what unknown fields are not of. */
export function fieldProblems(
  { issues }: z.ZodError,
  of: (path: string) => string = () => "this request",
): FieldProblem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.join(".");
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        field: [path, key].filter((part) => part !== "").join("."),
        message: `is not a field of ${of(path)}`,
      }));
    }
    return [{
      field: path === "" ? "body" : path,
      message: issue.message,
      ...("values" in issue ? { allowed: issue.values } : {}),
    }];
  });
}
