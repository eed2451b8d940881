import { parse } from "@std/toml";
import { join } from "node:path";
import { z } from "zod";

const configSchema = z.looseObject({
  functions: z.record(z.string(), z.looseObject({ verify_jwt: z.boolean().default(true) }))
    .default({}),
});

/**
 * Which functions are reached without a user's token: those with `verify_jwt = false` in
 * `supabase/config.toml`. As on the hosted platform, every other one needs it.
 */
export async function readOpenFunctions(supabaseDir: string): Promise<ReadonlySet<string>> {
  const file = join(supabaseDir, "config.toml");
  const text = await Deno.readTextFile(file).catch(() => "");
  const config = configSchema.safeParse(parse(text));
  if (!config.success) throw new Error(`"${file}" is not valid: ${z.prettifyError(config.error)}`);
  const entries = Object.entries(config.data.functions);
  return new Set(entries.filter(([, settings]) => !settings.verify_jwt).map(([name]) => name));
}
