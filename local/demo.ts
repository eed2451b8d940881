/**
 * `deno task demo`: from an empty folder to a paid video. Starts the stack, does what an app does
 * (supabase-js, the user's own token), shows each step, stops everything.
 */
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { z } from "zod";
import { taskArguments } from "./arguments.ts";
import { amount, duration, heading, line, rewrite, table } from "./screen.ts";
import type { NotifySandbox } from "./sandbox/notify.ts";
import { type Stack, startStack } from "./stack.ts";

const GEMS_BOUGHT = 50;
/** A provider may take minutes; the sandbox takes seconds. */
const PATIENCE_MS = 15 * 60_000;
const LOOK_EVERY_MS = 200;
const LOOK_AT_LEAST_EVERY_MS = 2_000;
const TOLD_WITHIN_MS = 60_000;

const status = z.object({
  status: z.enum(["queued", "processing", "rendering", "completed", "failed", "cancelled"]),
  stage: z.string(),
  progress: z.number(),
  message: z.string().nullable(),
  eta_seconds: z.number().nullable(),
  error_message: z.string().nullable(),
  video_url: z.string().nullable(),
});
type Status = z.infer<typeof status>;

/** Something did not go as it should; the message is all that the reader needs. */
class DemoError extends Error {}

/** The data of an answer, or a DemoError that says what was tried. */
async function must<T>(
  what: string,
  answer: PromiseLike<{ data: T; error: { message: string } | null }>,
): Promise<NonNullable<T>> {
  const { data, error } = await answer;
  if (error || data === null || data === undefined) {
    throw new DemoError(`Could not ${what}: ${error?.message ?? "no answer"}`);
  }
  return data;
}

async function signUp(stack: Stack): Promise<{ app: SupabaseClient; userId: string }> {
  const app = createClient(stack.supabaseUrl, stack.publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const email = `parent-${crypto.randomUUID().slice(0, 8)}@example.com`;
  const { user } = await must(
    "sign up",
    app.auth.signUp({ email, password: crypto.randomUUID() }),
  );
  if (user === null) throw new DemoError("Could not sign up: no user came back");
  line(`${email} signed up`);
  return { app, userId: user.id };
}

async function balanceOf(app: SupabaseClient): Promise<number> {
  const row = await must(
    "read the balance",
    app.from("users").select("gem_balance").single(),
  );
  return z.object({ gem_balance: z.number() }).parse(row).gem_balance;
}

/** What a shop's backend does after a purchase: with the secret key, never from the app. */
async function buyGems(operator: SupabaseClient, userId: string): Promise<void> {
  await must(
    "add the gems",
    operator.rpc("grant_gems", {
      p_user_id: userId,
      p_amount: GEMS_BOUGHT,
      p_kind: "purchase",
      p_reason: "Demo purchase",
      p_idempotency_key: crypto.randomUUID(),
    }),
  );
}

async function queueVideo(app: SupabaseClient, userId: string): Promise<string> {
  const child = await must(
    "add a child",
    app.from("children").insert({ user_id: userId, name: "Mia" }).select("id, name").single(),
  );
  const rhymes = await must(
    "read the catalogue",
    app.from("rhymes").select("id, title, gem_cost").order("gem_cost").order("title"),
  );
  const [rhyme] = rhymes;
  if (rhyme === undefined) throw new DemoError("The catalogue is empty");
  line(`${child.name} picks "${rhyme.title}" for ${rhyme.gem_cost} gems`);

  const { data, error } = await app.functions.invoke("queue-video", {
    body: { user_id: userId, child_id: child.id, rhyme_id: rhyme.id },
    headers: { "Idempotency-Key": crypto.randomUUID() },
  });
  if (error) throw new DemoError(`Could not queue the video: ${await sentenceOf(error)}`);
  const answer = z.object({ video_id: z.uuid(), message: z.string() }).parse(data);
  line(answer.message);
  return answer.video_id;
}

/**
 * functions.invoke keeps the answer in the error's context: ours, or the platform's about a
 * function.
 */
async function sentenceOf(error: unknown): Promise<string> {
  const response = error instanceof Error && "context" in error ? error.context : undefined;
  const body: unknown = response instanceof Response
    ? await response.json().catch(() => null)
    : null;
  const told = z.object({ error: z.string().optional(), message: z.string().optional() })
    .safeParse(body).data;
  return told?.error ?? told?.message ?? String(error);
}

async function look(app: SupabaseClient, videoId: string): Promise<Status> {
  const { data, error } = await app.functions.invoke(`video-status?video_id=${videoId}`, {
    method: "GET",
  });
  if (error) throw new DemoError(`Could not ask how the video is: ${await sentenceOf(error)}`);
  const { videos: [video] } = z.object({ videos: z.array(status) }).parse(data);
  if (video === undefined) throw new DemoError("The video is gone");
  return video;
}

/**
 * Waits until Realtime says that something is new since the last time; in case that is lost, for a
 * while.
 */
async function openEars(app: SupabaseClient, userId: string): Promise<() => Promise<void>> {
  let news = Promise.withResolvers<void>();
  await app.realtime.setAuth();
  app.channel(`user:${userId}`, { config: { private: true } })
    .on("broadcast", { event: "video_updated" }, () => news.resolve())
    .subscribe();
  return async () => {
    const timer = setTimeout(news.resolve, LOOK_AT_LEAST_EVERY_MS);
    await news.promise;
    clearTimeout(timer);
    news = Promise.withResolvers();
  };
}

async function watch(app: SupabaseClient, userId: string, videoId: string): Promise<Status> {
  const started = performance.now();
  const nextNews = await openEars(app, userId);
  for (;;) {
    const video = await look(app, videoId);
    rewrite({
      percentage: video.progress,
      text: `${video.stage.padEnd(12)} ${video.message ?? ""}`,
      detail: video.eta_seconds ? `about ${duration(video.eta_seconds)} left` : "",
    });
    if (["completed", "failed", "cancelled"].includes(video.status)) {
      line("");
      await app.removeAllChannels();
      return video;
    }
    if (performance.now() - started > PATIENCE_MS) {
      throw new DemoError(
        `The video is still ${video.status} after ${duration(PATIENCE_MS / 1000)}`,
      );
    }
    await nextNews();
  }
}

async function download(url: string, videoId: string): Promise<{ path: string; bytes: number }> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) {
    throw new DemoError(`Could not download the video: Storage answered ${response.status}`);
  }
  await Deno.mkdir(".local/demo", { recursive: true });
  const path = `.local/demo/${videoId}.mp4`;
  const file = await Deno.open(path, { write: true, create: true, truncate: true });
  await response.body.pipeTo(file.writable);
  return { path, bytes: (await Deno.stat(path)).size };
}

async function registerPhone(app: SupabaseClient): Promise<void> {
  await must(
    "register the phone",
    app.rpc("register_device", {
      p_kind: "fcm",
      p_address: `phone-${crypto.randomUUID()}`,
      p_platform: "android",
    }),
  );
}

async function showNotification(notify: NotifySandbox, videoId: string): Promise<void> {
  const started = performance.now();
  for (;;) {
    const told = notify.control.shown().find(({ place, data }) =>
      place === "fcm" && data["video_id"] === videoId
    );
    if (told !== undefined) return line(`On the phone: ${told.title}: ${told.body}`);
    if (performance.now() - started > TOLD_WITHIN_MS) throw new DemoError("The phone kept silent");
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function showBooks(app: SupabaseClient, operator: SupabaseClient, videoId: string) {
  const entries = await must(
    "read the ledger",
    app.from("gem_entries").select("kind, amount, balance_after, reason").order("id"),
  );
  heading("The ledger");
  table(
    ["kind", "gems", "balance", "reason"],
    entries.map((entry) => [
      entry.kind,
      amount(entry.amount),
      String(entry.balance_after),
      entry.reason,
    ]),
  );
  const jobs = await must(
    "read what it cost",
    operator.from("video_jobs").select("provider, model, attempt, cost_usd").eq(
      "video_id",
      videoId,
    ),
  );
  heading("What it cost us");
  table(
    ["provider", "model", "attempt", "USD"],
    jobs.map((job) => [job.provider, job.model, String(job.attempt), String(job.cost_usd ?? "?")]),
  );
}

async function demo(stack: Stack): Promise<string> {
  heading("A parent signs up and buys gems");
  const { app, userId } = await signUp(stack);
  const operator = createClient(stack.supabaseUrl, stack.secretKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  line(`Balance: ${await balanceOf(app)} gems`);
  if (stack.notify !== null) await registerPhone(app);
  await buyGems(operator, userId);
  const before = await balanceOf(app);
  line(`Bought ${GEMS_BOUGHT}, balance: ${before} gems`);

  heading("A video is queued and paid for, in one transaction");
  const videoId = await queueVideo(app, userId);
  line(`Balance: ${await balanceOf(app)} gems`);

  heading(stack.sandbox ? "The sandbox of Runware makes it" : "Runware makes it");
  const video = await watch(app, userId, videoId);
  if (video.status !== "completed" || video.video_url === null) {
    throw new DemoError(`The video ${video.status}: ${video.error_message ?? "no reason given"}`);
  }
  const { path, bytes } = await download(video.video_url, videoId);
  line(`Downloaded through a signed link: ${path} (${bytes} bytes)`);

  if (stack.notify !== null) await showNotification(stack.notify, videoId);

  await showBooks(app, operator, videoId);
  const after = await balanceOf(app);
  return `DEMO OK video=${videoId} status=${video.status} gems=${before}->${after} file=${path} bytes=${bytes}`;
}

if (import.meta.main) {
  taskArguments("demo");
  const dataDir = await Deno.makeTempDir({ prefix: "gemreel-demo-" });
  let stack: Stack | undefined;
  let lastLine = "";
  try {
    heading("Starting Postgres, the Supabase APIs, the edge functions and the sandbox");
    const started = performance.now();
    stack = await startStack({ dataDir, quiet: true });
    line(
      `Ready after ${((performance.now() - started) / 1000).toFixed(1)} s: ${stack.supabaseUrl}`,
    );
    lastLine = await demo(stack);
  } catch (error) {
    const sentence = error instanceof Error ? error.message : String(error);
    console.error(`\nThe demo failed: ${sentence}`);
    Deno.exitCode = 1;
  } finally {
    await stack?.stop();
    const log = `${dataDir}/stack.log`;
    const keep = Deno.exitCode !== 0 && await Deno.stat(log).then(() => true, () => false);
    if (keep) console.error(`What happened is in ${log}`);
    else await Deno.remove(dataDir, { recursive: true }).catch(() => {});
  }
  if (lastLine !== "") console.log(`\n${lastLine}`);
  Deno.exit();
}
