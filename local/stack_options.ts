import type { SandboxOptions } from "./sandboxes.ts";

/** How a stack is started; everything has a default that suits a developer's machine. */
export interface StackOptions extends SandboxOptions {
  /** Where data, keys and logs are kept. Default: `.local` in the repository. */
  readonly dataDir?: string;
  /** A Postgres to use instead of an embedded one. Default: DATABASE_URL. */
  readonly databaseUrl?: string;
  /** The gateway's port; a free one near it when taken, any with 0. Default 54321. */
  readonly port?: number;
  /** The embedded Postgres' port, in the same way. Default 54322. */
  readonly postgresPort?: number;
  /** The first sandbox's port, in the same way; the others are near it. Default 54340. */
  readonly sandboxPort?: number;
  /**
   * The folder with config.toml, migrations and functions. Default: `supabase` in the repository.
   */
  readonly supabaseDir?: string;
  /**
   * The functions to serve, with a config.toml beside the folder. Default: those of `supabaseDir`.
   */
  readonly functionsDir?: string;
  /**
   * "off": the provider is given no webhook address, so only polling finds results. Default "on".
   */
  readonly webhooks?: "on" | "off";
  /** False: no cron job is run. Default true. */
  readonly cron?: false;
  /** False: no functions are served. Default true. */
  readonly functions?: false;
  /** Columns of app.settings to change. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /**
   * Stands for the developer's environment (DATABASE_URL, RUNWARE_API_KEY…). Default: the real one.
   */
  readonly env?: Readonly<Record<string, string>>;
  /** Added to the functions' environment, winning over everything. */
  readonly functionsEnv?: Readonly<Record<string, string>>;
  /** True: what the functions print goes to the log file only. Default: to the console too. */
  readonly quiet?: boolean;
}
