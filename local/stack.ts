import { dirname, join } from "node:path";
import { Cleanups } from "./cleanups.ts";
import { startCronStandIn } from "./cron_standin.ts";
import { developerDatabase } from "./developer_database.ts";
import { localDataDir, readDeveloperEnv } from "./env.ts";
import type { ExtensionState } from "./extensions.ts";
import { readOpenFunctions } from "./functions_config.ts";
import { type FunctionsHost, startFunctions } from "./functions_server.ts";
import { type Gateway, openGateway } from "./gateway.ts";
import { loadKeys, publicJwks, type StackKeys } from "./keys.ts";
import { applyLocalSetup } from "./local_setup.ts";
import { openLogFile } from "./log_file.ts";
import { startNetStandIn } from "./net_standin.ts";
import { createPool } from "./pool.ts";
import { USUAL_PORTS } from "./ports.ts";
import { startPostgres } from "./postgres.ts";
import { prepareDatabase, SUPABASE_DIR } from "./prepare.ts";
import { createRealtime, type RealtimeServer } from "./realtime/server.ts";
import type { RunwareSandbox } from "./sandbox/runware.ts";
import type { NotifySandbox } from "./sandbox/notify.ts";
import { chooseNotify } from "./notify_choice.ts";
import { chooseProviders, type ProviderChoices, usesSandboxesOnly } from "./sandboxes.ts";
import { functionsEnv } from "./stack_env.ts";
import type { StackOptions } from "./stack_options.ts";
import { lockData } from "./state.ts";
import { createSupabaseApis } from "./supabase.ts";
import { createTokens } from "./tokens.ts";

export type { StackOptions } from "./stack_options.ts";

/** A running project: database, Supabase APIs, functions, provider. */
export interface Stack {
  readonly supabaseUrl: string;
  readonly publishableKey: string;
  readonly secretKey: string;
  /** The secret key named `cron`. */
  readonly cronKey: string;
  readonly jwks: ReturnType<typeof publicJwks>;
  readonly databaseUrl: string;
  /** Every provider: a sandbox, or the real one. */
  readonly providers: ProviderChoices;
  /** Runware's sandbox. Null when the real Runware is used. */
  readonly sandbox: RunwareSandbox | null;
  /** Where notifications arrive. Null when every channel is a real one. */
  readonly notify: NotifySandbox | null;
  /** Null when started without functions. */
  readonly functions: FunctionsHost | null;
  readonly realtime: RealtimeServer;
  /** Which extensions are real, and why the others are not. */
  readonly extensions: readonly ExtensionState[];
  /** Where data, keys and logs are kept. */
  readonly dataDir: string;
  /** Ends everything, in order. Does nothing the second time. */
  stop(): Promise<void>;
}

/**
 * Starts the local stack. Throws `StackRunningError` when one already runs on the same data; when
 * any part fails to start, the parts that did are stopped before the error is passed on.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const cleanups = new Cleanups();
  try {
    return await start(options, cleanups);
  } catch (error) {
    await cleanups.run().catch(() => {});
    throw error;
  }
}

async function start(options: StackOptions, cleanups: Cleanups): Promise<Stack> {
  const dataDir = options.dataDir ?? localDataDir();
  const supabaseDir = options.supabaseDir ?? SUPABASE_DIR;
  const functionsDir = options.functionsDir ?? join(supabaseDir, "functions");
  const env = options.env ?? await readDeveloperEnv();
  const givenDatabase = options.databaseUrl ?? developerDatabase(env);
  const lock = await lockData(dataDir);
  cleanups.add(() => lock.release());
  const keys = await loadKeys(join(dataDir, "keys.json"));
  const log = await openLogFile(join(dataDir, "stack.log"));
  cleanups.add(() => log.close());
  const gateway = openGateway(options.port ?? USUAL_PORTS.gateway);
  cleanups.add(() => gateway.close());

  const databaseUrl = givenDatabase ??
    await ownPostgres(join(dataDir, "postgres"), options, cleanups);
  const [{ extensions }, providers, notify] = await Promise.all([
    prepareDatabase(databaseUrl, { supabaseDir }),
    chooseProviders(options, env, cleanups),
    chooseNotify(options, env, cleanups),
  ]);

  const apis = createSupabaseApis({ databaseUrl, keys, log: log.write });
  cleanups.add(() => apis.close());
  const database = createPool(databaseUrl, { name: "storage", max: 5 });
  cleanups.add(() => database.end());
  // Again, so that it is closed before what it needs; the one above is for a start that fails
  // early.
  cleanups.add(() => gateway.close());
  const realtime = createRealtime({ databaseUrl, log: log.write });
  cleanups.add(() => realtime.close());

  const functionsUrl = `${gateway.url}/functions/v1`;
  await applyLocalSetup(databaseUrl, {
    functionsUrl,
    cronKey: keys.cron,
    cronSeconds: options.cron === false ? null : 1,
    sandboxesOnly: usesSandboxesOnly(providers),
    settings: options.settings ?? {},
  });
  const functions = options.functions === false ? null : await startFunctions({
    functionsDir,
    log: (line) => {
      log.write(line);
      if (!options.quiet) console.log(`  ${line}`);
    },
    env: functionsEnv({ options, env, keys, providers, notify, databaseUrl, url: gateway.url }),
  });
  if (functions) cleanups.add(() => functions.stop());
  await startStandIns({ databaseUrl, extensions, options, cleanups });

  gateway.connect({
    keys,
    tokens: await createTokens(keys, `${gateway.url}/auth/v1`),
    apis,
    database,
    realtime,
    functions,
    storageFolder: join(dataDir, "storage"),
    openFunctions: await readOpenFunctions(dirname(functionsDir)),
    log: log.write,
  });
  await lock.publish({
    pid: Deno.pid,
    supabaseUrl: gateway.url,
    publishableKey: keys.publishable,
    secretKey: keys.secret,
    cronKey: keys.cron,
    databaseUrl,
    providers: Object.fromEntries(
      Object.values(providers).map(({ prefix, url, sandbox }) => [
        prefix,
        { url: url ?? "", controlUrl: sandbox?.controlUrl ?? "" },
      ]),
    ),
    notifyControlUrl: notify?.controlUrl ?? null,
  });
  return describe({
    gateway,
    keys,
    databaseUrl,
    providers,
    notify,
    functions,
    realtime,
    extensions,
    dataDir,
    cleanups,
  });
}

async function ownPostgres(
  dataDir: string,
  options: StackOptions,
  cleanups: Cleanups,
): Promise<string> {
  const server = await startPostgres({
    dataDir,
    port: options.postgresPort ?? USUAL_PORTS.postgres,
  });
  cleanups.add(() => server.stop());
  return server.url;
}

/** Cron is added last, so it is stopped first: nothing rings while the rest goes down. */
async function startStandIns({ databaseUrl, extensions, options, cleanups }: {
  readonly databaseUrl: string;
  readonly extensions: readonly ExtensionState[];
  readonly options: StackOptions;
  readonly cleanups: Cleanups;
}): Promise<void> {
  const standsIn = (name: ExtensionState["name"]) =>
    extensions.some((extension) => extension.name === name && extension.by === "stand-in");
  if (standsIn("pg_net")) {
    const net = await startNetStandIn(databaseUrl);
    cleanups.add(() => net.stop());
  }
  if (standsIn("pg_cron") && options.cron !== false) {
    const cron = await startCronStandIn(databaseUrl);
    cleanups.add(() => cron.stop());
  }
}

function describe(parts: {
  readonly gateway: Gateway;
  readonly keys: StackKeys;
  readonly databaseUrl: string;
  readonly providers: ProviderChoices;
  readonly notify: NotifySandbox | null;
  readonly functions: FunctionsHost | null;
  readonly realtime: RealtimeServer;
  readonly extensions: readonly ExtensionState[];
  readonly dataDir: string;
  readonly cleanups: Cleanups;
}): Stack {
  const { gateway, keys, databaseUrl, providers, functions, realtime, extensions } = parts;
  return {
    supabaseUrl: gateway.url,
    publishableKey: keys.publishable,
    secretKey: keys.secret,
    cronKey: keys.cron,
    jwks: publicJwks(keys),
    databaseUrl,
    providers,
    sandbox: providers.runware.sandbox,
    notify: parts.notify,
    functions,
    realtime,
    extensions,
    dataDir: parts.dataDir,
    stop: () => parts.cleanups.run(),
  };
}
