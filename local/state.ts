import { join } from "node:path";
import { z } from "zod";

const stateSchema = z.object({
  pid: z.int(),
  supabaseUrl: z.string(),
  publishableKey: z.string(),
  secretKey: z.string(),
  cronKey: z.string(),
  databaseUrl: z.string(),
  /** By the prefix of their variables. A real provider has no control. */
  providers: z.record(z.string(), z.object({ url: z.string(), controlUrl: z.string() })),
  /** Null where every channel is a real one. */
  notifyControlUrl: z.string().nullable(),
});

/** What a client needs to know about a running stack. */
export type StackState = z.infer<typeof stateSchema>;

/** Another stack already uses the data folder. */
export class StackRunningError extends Error {
  override readonly name = "StackRunningError";
  constructor(readonly dataDir: string, readonly state: StackState | null) {
    const which = state ? ` at ${state.supabaseUrl} (process ${state.pid})` : "";
    super(`A stack already runs${which} on the data in "${dataDir}"; stop it first`);
  }
}

/**
 * The right to use a data folder. The operating system gives it back when the process ends,
 * however.
 */
export interface DataLock {
  /** Tells other processes, through `readState`. */
  publish(state: StackState): Promise<void>;
  release(): Promise<void>;
}

/** Throws `StackRunningError` when another process holds the folder. */
export async function lockData(dataDir: string): Promise<DataLock> {
  await Deno.mkdir(dataDir, { recursive: true });
  const file = await Deno.open(join(dataDir, "lock"), { create: true, write: true });
  if (!(await file.tryLock(true))) {
    file.close();
    throw new StackRunningError(dataDir, await readFile(dataDir));
  }
  await removeState(dataDir);
  return {
    async publish(state) {
      await Deno.writeTextFile(join(dataDir, "stack.json"), JSON.stringify(state, null, 2), {
        mode: 0o600,
      });
    },
    async release() {
      await removeState(dataDir);
      file.close();
    },
  };
}

/** Throws `StackRunningError` when a process holds the folder. Takes no lock itself. */
export async function refuseWhenRunning(dataDir: string): Promise<void> {
  if (await isLocked(dataDir)) throw new StackRunningError(dataDir, await readFile(dataDir));
}

/** The stack that runs on `dataDir` now; null when none does. */
export async function readState(dataDir: string): Promise<StackState | null> {
  return await isLocked(dataDir) ? await readFile(dataDir) : null;
}

/** Whether a process holds the folder. */
async function isLocked(dataDir: string): Promise<boolean> {
  const file = await Deno.open(join(dataDir, "lock"), { write: true }).catch(() => null);
  if (!file) return false;
  try {
    return !(await file.tryLock(true));
  } finally {
    file.close();
  }
}

async function readFile(dataDir: string): Promise<StackState | null> {
  const text = await Deno.readTextFile(join(dataDir, "stack.json")).catch(() => "null");
  return stateSchema.safeParse(JSON.parse(text)).data ?? null;
}

async function removeState(dataDir: string): Promise<void> {
  await Deno.remove(join(dataDir, "stack.json")).catch(() => {});
}
