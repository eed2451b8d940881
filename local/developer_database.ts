import pg from "pg";

/** This machine, by TCP or by a socket's folder. */
const HERE = /^(localhost|127(\.\d{1,3}){3}|::1|\/.*)$/i;

/** What the driver takes for an address: a URL, or the folder of a socket. */
const ADDRESS = /^(postgres(ql)?:\/\/|socket:|\/)/i;

/**
 * DATABASE_URL, or null where it is not set. Throws when it is no address of a Postgres, or leads to
 * another machine: the stack writes schemas, secrets, settings and cron jobs into its database, which
 * would break a deployed Gemreel.
 */
export function developerDatabase(env: Readonly<Record<string, string>>): string | null {
  const { DATABASE_URL: url } = env;
  // Empty means unset, as in a line of an .env file that nobody filled in.
  if (!url) return null;
  const host = hostOf(url);
  if (HERE.test(host)) return url;
  throw new Error(
    `DATABASE_URL leads to "${host}", which is not this machine. The local stack changes the ` +
      "database it uses, so it refuses. Take DATABASE_URL out of the shell, .env and supabase/functions/.env",
  );
}

/** As the driver reads it, which also knows ?host= and PGHOST. */
function hostOf(url: string): string {
  try {
    if (ADDRESS.test(url)) return new pg.Client({ connectionString: url }).host;
  } catch {
    // The driver's own words have the password in them.
  }
  throw new Error(
    "DATABASE_URL is not the URL of a Postgres, like postgresql://postgres@127.0.0.1:5432/postgres",
  );
}
