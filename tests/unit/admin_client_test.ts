import { assertEquals } from "@std/assert";
import { adminClient } from "../../shared/http/admin_client.ts";

Deno.test("what cannot be read is not asked for again by itself: whoever called is told in time", async () => {
  let calls = 0;
  const api = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    calls++;
    return new Response("{}", { status: 503 });
  });
  const env = {
    SUPABASE_URL: `http://127.0.0.1:${api.addr.port}`,
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: "sb_secret_test" }),
  };
  const before = Object.keys(env).map((name) => [name, Deno.env.get(name)] as const);
  try {
    for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
    const { status } = await adminClient().from("rhymes").select("id");
    assertEquals([status, calls], [503, 1]);
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
    await api.shutdown();
  }
});
