import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A developer's terminal: the tasks, on a data folder of the test's own. */
function terminal(dataDir: string) {
  const command = (task: string[], stdout: "piped" | "null" = "piped") =>
    new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", ...task],
      cwd: ROOT,
      env: {
        NO_COLOR: "1",
        DATABASE_URL: "",
        RUNWARE_API_KEY: "",
        RUNWAY_API_KEY: "",
        KIE_API_KEY: "",
        GEMREEL_DATA_DIR: dataDir,
      },
      stdin: "null",
      stdout,
      stderr: "piped",
    });
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return {
    start: (task: string) => command([task]).spawn(),
    async run(...task: string[]) {
      const { code, stdout, stderr } = await command(task).output();
      return { code, out: text(stdout), err: text(stderr) };
    },
  };
}

/** Reads until the text has come, and leaves the stream open. */
async function readUntil(stream: ReadableStream<Uint8Array>, wanted: string): Promise<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  while (!seen.includes(wanted)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`It ended without saying "${wanted}":\n${seen}`);
    seen += value;
  }
  // Kept flowing, so that the other side is never stopped by a full pipe.
  (async () => {
    while (!(await reader.read()).done);
  })().catch(() => {});
  return seen;
}

const variables = (text: string) =>
  Object.fromEntries(
    text.split("\n").map((
      line,
    ) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );

const answers = (url: string) =>
  fetch(url).then((response) => response.body?.cancel().then(() => true), () => false);

Deno.test("dev runs, status tells how to reach it, Ctrl-C leaves nothing, reset forgets", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "gemreel-dev-" });
  const { start, run } = terminal(dataDir);
  // The usual port is taken, by us or by somebody else.
  let squatter: Deno.Listener | undefined;
  let dev: Deno.ChildProcess | undefined;
  try {
    squatter = Deno.listen({ hostname: "127.0.0.1", port: 54321 });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
  }
  try {
    assertEquals((await run("status")).code, 1);

    dev = start("dev");
    const banner = await readUntil(dev.stdout, "Ctrl-C");
    assertMatch(banner, /^Port 54321 is taken, serving on \d+$/m);
    assert(banner.includes(`  GEMREEL_DATA_DIR=${dataDir} npx`), banner);
    const { code, out } = await run("status");
    assertEquals(code, 0);
    const told = variables(out);
    assertMatch(told["SUPABASE_URL"] ?? "", /^http:\/\/127\.0\.0\.1:(?!54321$)\d+$/);
    assertEquals(JSON.parse((await run("status", "--json")).out), told);

    const health = await fetch(`${told["SUPABASE_URL"]}/functions/v1/health`, {
      headers: { apikey: told["SUPABASE_SECRET_KEY"] ?? "" },
    });
    assertEquals([health.status, (await health.json()).success], [200, true]);
    assert(await answers(told["RUNWARE_CONTROL_URL"] ?? ""));
    assert(await answers(told["NOTIFY_CONTROL_URL"] ?? ""));

    for (const task of ["dev", "reset"]) {
      const second = await run(task);
      assertEquals([second.code, second.out], [1, ""], task);
      assert(second.err.length > 0 && !/^\s+at /m.test(second.err), second.err);
    }

    dev.kill("SIGINT");
    await dev.stderr.cancel();
    assertEquals((await dev.status).code, 0);
    assertEquals(await answers(told["SUPABASE_URL"] ?? ""), false);
    assertEquals(await answers(told["RUNWARE_CONTROL_URL"] ?? ""), false);
    const { hostname, port } = new URL(told["DATABASE_URL"] ?? "");
    const postgres = await Deno.connect({ hostname, port: Number(port) }).then(
      (connection) => {
        connection.close();
        return true;
      },
      () => false,
    );
    assertEquals(postgres, false);
    assertEquals((await run("status")).code, 1);

    assertEquals((await run("reset")).code, 0);
    assertEquals(await Deno.stat(dataDir).then(() => true, () => false), false);
    dev = undefined;
  } finally {
    dev?.kill("SIGINT");
    await dev?.status;
    squatter?.close();
    await Deno.remove(dataDir, { recursive: true }).catch(() => {});
  }
});
