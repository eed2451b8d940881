/** docs/openapi.json as the judge of what the functions answer. */
import { Ajv2020 } from "ajv/2020";
import { z } from "zod";
import { fileURLToPath } from "node:url";

const DOCUMENT = fileURLToPath(new URL("../../docs/openapi.json", import.meta.url));
const ID = "https://gemreel.test/openapi.json";

const content = z.object({
  "application/json": z.object({ schema: z.object({ $ref: z.string() }) }),
});
const documentSchema = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        requestBody: z.object({ content }).optional(),
        responses: z.record(z.string(), z.looseObject({ content: content.optional() })),
      }),
    ),
  ),
});

/** What the document says about values. */
export interface Judge {
  /** Paths, without the slash. */
  readonly paths: readonly string[];
  /** Why this is no answer that the document allows; null where it is one. */
  misfit(path: string, answer: { status: number; body: unknown }): string | null;
  /** Whether the document allows this body. */
  takes(path: string, body: unknown): boolean;
  /** Why this is no such component; null where it is one. */
  component(name: string, value: unknown): string | null;
}

/** Reads the committed document. */
export async function readOpenapi(): Promise<Judge> {
  const document = documentSchema.parse(JSON.parse(await Deno.readTextFile(DOCUMENT)));
  // Formats are told by patterns as well, where they matter.
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ $id: ID, ...document });
  const check = (reference: string, value: unknown): string | null => {
    const validate = ajv.getSchema(`${ID}${reference}`) ??
      ajv.compile({ $ref: `${ID}${reference}` });
    return validate(value) === true ? null : ajv.errorsText(validate.errors);
  };
  const operationsOf = (path: string) => {
    const found = Object.values(document.paths[`/${path}`] ?? {});
    if (found.length === 0) throw new Error(`The document has no "/${path}"`);
    return found;
  };
  return {
    paths: Object.keys(document.paths).map((path) => path.slice(1)),
    misfit(path, { status, body }) {
      const response = operationsOf(path).map(({ responses }) => responses[String(status)])
        .find((each) => each !== undefined);
      if (response === undefined) return `${status} is not an answer of ${path}`;
      const reference = response.content?.["application/json"].schema.$ref;
      return reference === undefined ? null : check(reference, body);
    },
    takes(path, body) {
      const reference = operationsOf(path).flatMap(({ requestBody }) => requestBody ?? []).at(0)
        ?.content["application/json"].schema.$ref;
      return reference !== undefined && check(reference, body) === null;
    },
    component: (name, value) => check(`#/components/schemas/${name}`, value),
  };
}
