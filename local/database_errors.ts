import { AsyncLocalStorage } from "node:async_hooks";
import pg from "pg";
import { z } from "zod";

const databaseErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  detail: z.string().nullish(),
  hint: z.string().nullish(),
  where: z.string().nullish(),
});

/** What Postgres said when it refused a statement. */
type DatabaseError = z.infer<typeof databaseErrorSchema>;

const UNKNOWN_ERROR_CODE = "SUP";

/** What is said of every call that its connection died under. */
const CONNECTION_LOST: DatabaseError = { code: "08006", message: "The database does not answer" };

/**
 * The REST library answers SQLSTATEs it doesn't know, all of a project's own among them, with 500
 * and the code "SUP". PostgREST passes them on, and so must we: clients map errors by code.
 */
export class DatabaseErrors {
  readonly #seen = new AsyncLocalStorage<{ error: DatabaseError | null }>();

  /** Notes an error the library met while it answers the request at hand. */
  note(error: unknown): void {
    const store = this.#seen.getStore();
    if (!store) return;
    if (isConnectionError(error)) store.error = CONNECTION_LOST;
    else store.error = databaseErrorSchema.safeParse(error).data ?? store.error;
  }

  /** The answer of `work`, with the real error where the library lost it. */
  async keep(work: () => Promise<Response>): Promise<Response> {
    const store: { error: DatabaseError | null } = { error: null };
    const response = await this.#seen.run(store, work);
    if (response.status !== 500 || store.error === null) return response;
    const body: unknown = await response.clone().json().catch(() => null);
    const lost = z.looseObject({ code: z.literal(UNKNOWN_ERROR_CODE) }).safeParse(body).success;
    if (!lost) return response;
    await response.body?.cancel();
    const { code, message, detail, hint } = store.error;
    return Response.json(
      { code, message, details: detail ?? null, hint: hint ?? null },
      { status: statusOf(code) },
    );
  }
}

/** In one line, what Postgres refused and where; null for anything that is answered with 5xx. */
export function refusalOf(error: unknown): string | null {
  const { data } = databaseErrorSchema.safeParse(error);
  if (!(error instanceof pg.DatabaseError) || data === undefined) return null;
  if (statusOf(data.code) >= 500) return null;
  const { code, message, detail, where } = data;
  const [innermost] = where?.split("\n") ?? [];
  const more = [detail ? ` (${detail})` : "", innermost ? `, ${innermost}` : ""].join("");
  return `Refused: ${code} ${message}${more}`.replaceAll(/\s*\n\s*/g, " ");
}

/** The words and codes of `pg` and of sockets for a server that died or is not there. */
function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return "code" in error && /^(ECONN|EPIPE|ETIMEDOUT)/.test(String(error.code)) ||
    /^(Connection terminated|Client has encountered a connection error)/.test(error.message);
}

/**
 * PostgREST's table: https://docs.postgrest.org/en/stable/references/errors.html#http-status-codes
 */
function statusOf(code: string): number {
  if (code === "P0001") return 400;
  if (/^(08|53)/.test(code)) return 503;
  if (/^(0L|0P|28)/.test(code)) return 403;
  if (/^(09|25|2D|38|39|3B|40|54|55|57|58|F0|HV|P0|XX)/.test(code)) return 500;
  return 400;
}
