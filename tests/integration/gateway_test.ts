import { assert, assertEquals, assertMatch } from "@std/assert";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify, SignJWT } from "jose";
import { makeKeys } from "../../local/keys.ts";
import { type TestStack, withStack } from "../support/stack.ts";
import { keysOf, signToken } from "../support/tokens.ts";
import { adminClient, anonymousClient, signUp } from "../support/users.ts";

const NOTES = `
  create table public.notes (
    id bigint generated always as identity primary key,
    owner uuid not null default auth.uid(),
    body text not null
  );
  alter table public.notes enable row level security;
  create policy own on public.notes to authenticated
    using (owner = (select auth.uid())) with check (owner = (select auth.uid()));
  revoke all on public.notes from anon;
  grant all on public.notes to authenticated, service_role;`;

const withNotes = (work: (stack: TestStack) => Promise<void>) => () =>
  withStack({ functions: false, cron: false }, async (stack) => {
    await stack.database.rows(NOTES);
    await work(stack);
  });

const hoursFromNow = (hours: number) => Math.floor(Date.now() / 1000) + hours * 3600;

async function readNotes(stack: TestStack, headers: Record<string, string>): Promise<Response> {
  return await fetch(`${stack.supabaseUrl}/rest/v1/notes`, { headers });
}

Deno.test(
  "a user signs up, in, and again with the refresh token; each token holds against the public keys",
  withNotes(async (stack) => {
    const user = await signUp(stack);
    const jwks = createRemoteJWKSet(new URL(`${stack.supabaseUrl}/auth/v1/.well-known/jwks.json`));
    const check = async (token: string | undefined) => {
      const { payload } = await jwtVerify(token ?? "", jwks, { algorithms: ["ES256"] });
      assertEquals(payload.sub, user.id);
      assertEquals(payload["role"], "authenticated");
      assertEquals(payload.iss, `${stack.supabaseUrl}/auth/v1`);
    };
    await check(user.token);
    assertEquals(decodeProtectedHeader(user.token).kid, stack.jwks.keys[0]?.kid);

    const signedIn = await user.client.auth.signInWithPassword({
      email: user.email,
      password: "correct horse",
    });
    await check(signedIn.data.session?.access_token);
    await check((await user.client.auth.refreshSession()).data.session?.access_token);
    assertEquals((await user.client.auth.getUser()).data.user?.email, user.email);
    assertEquals((await user.client.auth.getClaims()).data?.claims.sub, user.id);

    const wrong = await user.client.auth.signInWithPassword({
      email: user.email,
      password: "wrong horse",
    });
    assertEquals(wrong.error?.status, 400);
  }),
);

Deno.test(
  "row level security and revoked grants hold through the REST API",
  withNotes(async (stack) => {
    const [ann, bob] = [await signUp(stack), await signUp(stack)];
    assertEquals((await ann.client.from("notes").insert({ body: "Ann's" })).error, null);
    assertEquals((await ann.client.from("notes").select("body")).data, [{ body: "Ann's" }]);
    assertEquals((await bob.client.from("notes").select()).data, []);
    const forged = await bob.client.from("notes").insert({ body: "Bob's", owner: ann.id });
    assertEquals(forged.error?.code, "42501");
    assertEquals((await anonymousClient(stack).from("notes").select()).error?.code, "42501");
    assertEquals((await adminClient(stack).from("notes").select()).data?.length, 1);
  }),
);

Deno.test(
  "a function's own SQLSTATE, message, detail and hint reach the client",
  withNotes(async (stack) => {
    await stack.database.rows(`
      create function public.refuse(p_code text) returns void language plpgsql as $$
      begin
        raise exception 'No gems left' using errcode = p_code, detail = 'have 3', hint = 'buy some';
      end $$;
      grant execute on function public.refuse(text) to authenticated;`);
    const { client } = await signUp(stack);
    for (const code of ["GM001", "GM404", "P0001", "40001"]) {
      const { error, status } = await client.rpc("refuse", { p_code: code });
      assertEquals(error?.code, code);
      assertEquals(error?.message, "No gems left");
      assertEquals(error?.details, "have 3");
      assertEquals(error?.hint, "buy some");
      assertEquals(status, code === "40001" ? 500 : 400);
    }
  }),
);

Deno.test(
  "no key, a wrong key, and every token we did not sign or that is over are 401",
  withNotes(async (stack) => {
    const apikey = stack.publishableKey;
    const keys = await keysOf(stack);
    const claims = { sub: crypto.randomUUID(), role: "service_role" };
    const inner = await new SignJWT(claims).setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("1h").sign(new TextEncoder().encode(keys.innerSecret));
    const stranger = await makeKeys();
    const impostor = {
      ...stranger,
      signingKey: { ...stranger.signingKey, kid: keys.signingKey.kid },
    };
    const unsigned = `${btoa('{"alg":"none"}')}.${btoa(JSON.stringify(claims))}.`;
    const bad = [
      await signToken(keys, claims, hoursFromNow(-1)),
      await signToken(stranger, claims, hoursFromNow(1)),
      await signToken(impostor, claims, hoursFromNow(1)),
      inner,
      unsigned,
      "not.a.token",
    ];
    for (const headers of [{}, { apikey: "sb_publishable_unknown" }]) {
      const response = await readNotes(stack, headers as Record<string, string>);
      assertEquals(response.status, 401);
      assertMatch((await response.json()).message, /API key/);
    }
    for (const token of bad) {
      const response = await readNotes(stack, { apikey, authorization: `Bearer ${token}` });
      assertEquals(response.status, 401);
      await response.body?.cancel();
    }
  }),
);

Deno.test(
  "a secret key together with a user's token acts as that user",
  withNotes(async (stack) => {
    const [ann, bob] = [await signUp(stack), await signUp(stack)];
    await ann.client.from("notes").insert({ body: "Ann's" });
    const authorization = `Bearer ${bob.token}`;
    const asBob = await readNotes(stack, { apikey: stack.secretKey, authorization });
    assertEquals(await asBob.json(), []);
    const asServer = await readNotes(stack, { apikey: stack.cronKey });
    assertEquals((await asServer.json()).length, 1);
  }),
);

Deno.test(
  "the admin API creates, lists and deletes users for the secret key alone",
  withNotes(async (stack) => {
    const admin = adminClient(stack).auth.admin;
    const made = await admin.createUser({
      email: "made@example.com",
      password: "correct horse",
      user_metadata: { name: "Made" },
      app_metadata: { vip: true },
    });
    const id = made.data.user?.id ?? "";
    assertEquals(made.data.user?.app_metadata["vip"], true);
    assertEquals(
      await stack.database.rows(
        "select raw_user_meta_data ->> 'name' as name from auth.users where id = $1",
        [id],
      ),
      [{ name: "Made" }],
    );
    const signedIn = await anonymousClient(stack).auth.signInWithPassword({
      email: "made@example.com",
      password: "correct horse",
    });
    assertEquals(signedIn.data.user?.id, id);
    assertEquals((await admin.listUsers()).data.users.map((user) => user.id), [id]);
    const outsider = await signUp(stack);
    assertEquals((await outsider.client.auth.admin.listUsers()).error?.status, 403);
    assertEquals((await admin.deleteUser(id)).error, null);
    assertEquals((await admin.getUserById(id)).error?.status, 404);
  }),
);

Deno.test(
  "browsers of any origin are answered, refusals included",
  withNotes(async (stack) => {
    const url = `${stack.supabaseUrl}/rest/v1/notes`;
    const asked = await fetch(url, {
      method: "OPTIONS",
      headers: { "access-control-request-headers": "apikey, x-own" },
    });
    assertEquals(asked.status, 204);
    assertEquals(asked.headers.get("access-control-allow-headers"), "apikey, x-own");
    const refused = await fetch(url);
    await refused.body?.cancel();
    assertEquals(refused.headers.get("access-control-allow-origin"), "*");
    const lost = await fetch(`${stack.supabaseUrl}/nowhere`);
    assertEquals(lost.status, 404);
    assert((await lost.json()).message.includes("/nowhere"));
  }),
);
