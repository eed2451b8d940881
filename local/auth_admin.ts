import type pg from "pg";
import { z } from "zod";
import type { Caller } from "./credentials.ts";
import { json } from "./http.ts";
import { INNER_KEYS, type SupabaseApis } from "./supabase.ts";

const newUserSchema = z.object({
  email: z.email(),
  password: z.string().min(6).optional(),
  user_metadata: z.record(z.string(), z.unknown()).default({}),
  app_metadata: z.record(z.string(), z.unknown()).default({}),
});

const signedUpSchema = z.looseObject({ user: z.looseObject({ id: z.guid() }) });

const PATH = "/auth/v1/admin/users";

const USER_COLUMNS =
  `id, aud, role, email, phone, email_confirmed_at, confirmed_at, last_sign_in_at,
  raw_app_meta_data as app_metadata, raw_user_meta_data as user_metadata, is_anonymous,
  created_at, updated_at`;

/** The part of the auth admin API that the library lacks: create, list, get and delete users. */
export class AuthAdmin {
  constructor(
    private readonly database: pg.Pool,
    private readonly apis: SupabaseApis,
  ) {}

  /** Whether `pathname` is one of ours. */
  static serves(pathname: string): boolean {
    return pathname === PATH || pathname.startsWith(`${PATH}/`);
  }

  async handle(request: Request, caller: Caller): Promise<Response> {
    if (caller.role !== "service_role") return refuse(403, "not_admin", "User not allowed");
    const url = new URL(request.url);
    const id = url.pathname.slice(PATH.length + 1);
    if (id === "" && request.method === "POST") return await this.#create(request);
    if (id === "" && request.method === "GET") return await this.#list(url.searchParams);
    if (!z.guid().safeParse(id).success) {
      return refuse(404, "validation_failed", `User id "${id}" is not a UUID`);
    }
    if (request.method === "GET") return await this.#answerUser(id);
    if (request.method === "DELETE") return await this.#delete(id);
    return refuse(405, "method_not_allowed", `${request.method} is not served by the local stack`);
  }

  /**
   * Signs the user up as the app would (that confirms at once here), then adds what only admins may
   * set.
   */
  async #create(request: Request): Promise<Response> {
    const body = newUserSchema.safeParse(await request.json().catch(() => null));
    if (!body.success) return refuse(400, "validation_failed", z.prettifyError(body.error));
    const { email, password = crypto.randomUUID(), user_metadata, app_metadata } = body.data;
    const answer = await this.apis.fetch(
      new Request(new URL("/auth/v1/signup", request.url), {
        method: "POST",
        headers: { apikey: INNER_KEYS.publishable, "content-type": "application/json" },
        body: JSON.stringify({ email, password, data: user_metadata }),
      }),
    );
    if (!answer.ok) return answer;
    const { id } = signedUpSchema.parse(await answer.json()).user;
    await this.database.query(
      "update auth.users set raw_app_meta_data = raw_app_meta_data || $2::jsonb where id = $1",
      [id, app_metadata],
    );
    return await this.#answerUser(id);
  }

  async #list(params: URLSearchParams): Promise<Response> {
    const page = Math.max(1, Number(params.get("page")) || 1);
    const size = Math.min(1000, Number(params.get("per_page")) || 50);
    const { rows } = await this.database.query(
      `select ${USER_COLUMNS} from auth.users order by created_at desc, id limit $1 offset $2`,
      [size, (page - 1) * size],
    );
    return json(200, { users: rows, aud: "authenticated" });
  }

  async #answerUser(id: string): Promise<Response> {
    const { rows } = await this.database.query(
      `select ${USER_COLUMNS} from auth.users where id = $1`,
      [id],
    );
    return rows[0] ? json(200, rows[0]) : refuse(404, "user_not_found", "User not found");
  }

  async #delete(id: string): Promise<Response> {
    const { rowCount } = await this.database.query("delete from auth.users where id = $1", [id]);
    return rowCount ? json(200, {}) : refuse(404, "user_not_found", "User not found");
  }
}

function refuse(status: number, code: string, message: string): Response {
  return json(status, { code: status, error_code: code, msg: message });
}
