/** Which DATABASE_URL the local stack dares to write into. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { developerDatabase } from "../../local/developer_database.ts";
import { startStack } from "../../local/stack.ts";

const on = (url: string) => developerDatabase({ DATABASE_URL: url });

const REMOTE = [
  "postgresql://postgres:secret@db.abcdefgh.supabase.co:5432/postgres",
  "postgresql://postgres@10.0.0.7/postgres",
  "postgresql://postgres@localhost.example.com/postgres",
  "postgresql://postgres@127.0.0.1.example.com/postgres",
  "postgresql://postgres@localhost/postgres?host=db.example.com",
];

Deno.test("without DATABASE_URL, or with an empty one, the stack has its own Postgres", () => {
  assertEquals(developerDatabase({}), null);
  assertEquals(on(""), null);
});

Deno.test("a database on this machine is used", () => {
  for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.0.0.2", "[::1]"]) {
    const url = `postgresql://postgres@${host}:5432/postgres`;
    assertEquals(on(url), url);
  }
  const socket = "postgresql:///postgres?host=/var/run/postgresql";
  assertEquals(on(socket), socket);
});

Deno.test("a database elsewhere is refused by name, and its password is not told", () => {
  for (const url of REMOTE) {
    const { message } = assertThrows(() => on(url), Error, "DATABASE_URL leads to");
    assertEquals(message.includes("secret"), false);
  }
});

Deno.test("what is not the address of a Postgres is said to be none, and is not told", () => {
  for (
    const url of ["nonsense", "https://user:secret@localhost/postgres", "postgres://:secret@["]
  ) {
    const { message } = assertThrows(
      () => on(url),
      Error,
      "DATABASE_URL is not the URL of a Postgres",
    );
    assertEquals(message.includes("secret"), false);
  }
});

Deno.test("a stack that is refused its database has touched nothing", async () => {
  const parent = await Deno.makeTempDir({ prefix: "gemreel-refused-" });
  const dataDir = `${parent}/data`;
  for (const url of REMOTE) {
    const start = () => startStack({ dataDir, port: 0, env: { DATABASE_URL: url } });
    await assertRejects(start, Error, "DATABASE_URL");
  }
  assertEquals(await Array.fromAsync(Deno.readDir(parent)), []);
  await Deno.remove(parent);
});
