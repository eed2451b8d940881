/** The app's side of a running stack: customers, calls of functions, workers run by hand. */
import { type Database, openDatabase } from "../../shared/db/database.ts";
import { z } from "zod";
import { TWINKLE } from "./fixtures.ts";
import { quiet } from "./sql.ts";
import { type TestStack, withStack } from "./stack.ts";
import { until } from "./until.ts";
import { adminClient, signUp, type TestUser } from "./users.ts";
import type { StackOptions } from "../../local/stack.ts";

/** A signed-in parent with a child and gems. */
export interface Customer extends TestUser {
  readonly childId: string;
}

/** A stack with a database connection like the workers'. */
export interface AppStack extends TestStack {
  readonly db: Database;
}

/** How a test's stack is started. */
export interface AppOptions extends StackOptions {
  /** "off": nobody is rung, so workers run only when a test runs them. */
  readonly doorbell?: "off";
}

/** Gives `work` a running stack. */
export function withApp(
  { doorbell, ...options }: AppOptions,
  work: (app: AppStack) => Promise<void>,
) {
  return withStack(options, async (stack) => {
    const db = openDatabase(stack.databaseUrl, { log: quiet, max: 5 });
    try {
      if (doorbell === "off") {
        await db.query("delete from vault.secrets where name = 'functions_url'");
      }
      await work({ ...stack, db });
    } finally {
      await db.close();
    }
  });
}

/** Nothing happens by itself: no cron, no rings, no webhooks, and renders end by `control.finish`. */
export const BY_HAND: AppOptions = {
  cron: false,
  doorbell: "off",
  webhooks: "off",
  runware: { knobs: { manual: true } },
};

/** Signs someone up, with gems and a child. */
export async function newCustomer(
  app: AppStack,
  { gems = 100 }: { gems?: number } = {},
): Promise<Customer> {
  const user = await signUp(app);
  if (gems > 0) {
    const { error } = await adminClient(app).rpc("grant_gems", {
      p_user_id: user.id,
      p_amount: gems,
      p_kind: "purchase",
      p_reason: "Test",
      p_idempotency_key: crypto.randomUUID(),
    });
    if (error) throw new Error(error.message);
  }
  const { data, error } = await user.client.from("children")
    .insert({ user_id: user.id, name: "Mia" }).select("id").single();
  if (error) throw new Error(error.message);
  return { ...user, childId: z.object({ id: z.uuid() }).parse(data).id };
}

/** What a function answered. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

/** Calls a function as anyone: headers are all that is sent beside the body. */
export async function call(
  app: AppStack,
  path: string,
  { method = "POST", headers = {}, body }: {
    method?: string;
    headers?: Record<string, string>;
    body?: BodyInit | null;
  } = {},
): Promise<Answer> {
  const response = await fetch(`${app.supabaseUrl}/functions/v1/${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const parsed = z.record(z.string(), z.unknown()).safeParse(text === "" ? {} : JSON.parse(text));
  return { status: response.status, body: parsed.data ?? {}, headers: response.headers };
}

/** The headers of a signed-in user. */
export function headersOf(app: AppStack, user: TestUser): Record<string, string> {
  return { apikey: app.publishableKey, authorization: `Bearer ${user.token}` };
}

/** Queues the seed's first rhyme; `more` overrides fields of the body. */
export function queue(
  app: AppStack,
  customer: Customer,
  { key, ...more }: Record<string, unknown> & { key?: string } = {},
): Promise<Answer> {
  return call(app, "queue-video", {
    headers: {
      ...headersOf(app, customer),
      "content-type": "application/json",
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    body: JSON.stringify({ child_id: customer.childId, rhyme_id: TWINKLE, ...more }),
  });
}

/** Queues and answers the video's id. */
export async function queued(app: AppStack, customer: Customer): Promise<string> {
  const answer = await queue(app, customer);
  return z.object({ video_id: z.uuid() }).parse(answer.body).video_id;
}

/** Runs a worker until its stage is empty. */
export async function work(
  app: AppStack,
  name: "submit-videos" | "poll-videos" | "store-videos" | "notify-users" | "maintain",
): Promise<Answer> {
  const answer = await call(app, `${name}?wait=1`, { headers: { apikey: app.cronKey } });
  if (answer.status !== 200) throw new Error(`${name} answered ${JSON.stringify(answer.body)}`);
  return answer;
}

const FINAL = ["completed", "failed", "cancelled"];

/** Waits until each of these videos is over. Answers their states, in order. */
export function over(
  app: AppStack,
  videoIds: readonly string[],
  patience: { minutes?: number } = {},
): Promise<string[]> {
  return until(`${videoIds.length} videos are over`, async () => {
    const rows = await app.db.query(
      "select id, status from public.videos where id = any ($1)",
      [videoIds],
    );
    const states = new Map(rows.map((row) => [String(row["id"]), String(row["status"])]));
    const all = videoIds.map((id) => states.get(id) ?? "");
    return all.every((state) => FINAL.includes(state)) ? all : undefined;
  }, patience);
}
