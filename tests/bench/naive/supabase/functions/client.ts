/** What the baseline's functions share: one client with the secret key, and the provider's address. */
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { z } from "zod";

/** One variable of the environment. Throws when it is not set. */
export function need(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** The project's own address. */
export const projectUrl: string = need("SUPABASE_URL");
/** The default secret key, which also lets one function call another. */
export const secretKey: string = z.object({ default: z.string() })
  .parse(JSON.parse(need("SUPABASE_SECRET_KEYS"))).default;

/** The service role's client, made once. */
export const admin: SupabaseClient = createClient(projectUrl, secretKey, {
  auth: { persistSession: false, autoRefreshToken: false },
});

interface Answer<T> {
  readonly data: T;
  readonly error: { readonly message: string } | null;
}

/** The rows of an answer. Throws what PostgREST refused, and where there are none. */
export function rows<T>({ data, error }: Answer<T>): NonNullable<T> {
  if (error) throw new Error(error.message);
  if (data === null || data === undefined) throw new Error("The answer is empty");
  return data;
}

/** A write without an answer. Throws what PostgREST refused. */
export function done({ error }: Answer<unknown>): void {
  if (error) throw new Error(error.message);
}

const answerSchema = z.object({
  data: z.array(z.looseObject({
    taskUUID: z.string(),
    status: z.string().optional(),
    progress: z.number().optional(),
    videoURL: z.string().optional(),
  })).default([]),
});

/** One item of the provider's answer. */
export type TaskItem = z.infer<typeof answerSchema>["data"][number];

/** Posts one task to the provider. Answers what it said about it. */
export async function askProvider(task: Record<string, unknown>): Promise<TaskItem | undefined> {
  const response = await fetch(need("RUNWARE_URL"), {
    method: "POST",
    headers: {
      authorization: `Bearer ${need("RUNWARE_API_KEY")}`,
      "content-type": "application/json",
    },
    body: JSON.stringify([task]),
  });
  if (!response.ok) throw new Error(`The provider answered ${response.status}`);
  return answerSchema.parse(await response.json()).data[0];
}

/** Refuses callers without the project's secret key. */
export function isOwnCall(request: Request): boolean {
  return request.headers.get("apikey") === secretKey;
}

/** Work that goes on after the answer. */
export function afterwards(work: Promise<unknown>): void {
  const runtime: unknown = Reflect.get(globalThis, "EdgeRuntime");
  const { waitUntil } = z.object({ waitUntil: z.custom<(work: Promise<unknown>) => void>() })
    .parse(runtime);
  waitUntil(work);
}
