import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

async function demo(env: Record<string, string>) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "demo"],
    cwd: ROOT,
    env: { NO_COLOR: "1", DATABASE_URL: "", RUNWARE_API_KEY: "", ...env },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd();
  return { code, out: decode(stdout), err: decode(stderr) };
}

Deno.test("the demo buys, makes, keeps and downloads a video, and ends with DEMO OK", async () => {
  const { code, out, err } = await demo({});
  assertEquals(code, 0, err);
  const last = out.split("\n").at(-1) ?? "";
  assertMatch(
    last,
    /^DEMO OK video=[0-9a-f-]{36} status=completed gems=50->40 file=\S+\.mp4 bytes=\d+$/,
  );
  const path = /file=(\S+)/.exec(last)?.[1] ?? "";
  const file = await Deno.readFile(`${ROOT}/${path}`);
  assertEquals(new TextDecoder().decode(file.subarray(4, 8)), "ftyp");
  assertEquals(file.byteLength, Number(/bytes=(\d+)/.exec(last)?.[1]));
  await Deno.remove(`${ROOT}/${path}`);
});

Deno.test("a demo in trouble says so in one sentence and exits with 1", async () => {
  const troubles = {
    "postgres://nobody@127.0.0.1:1/none": "127.0.0.1:1",
    "postgres://nobody@db.example.com/none": "DATABASE_URL",
  };
  for (const [url, said] of Object.entries(troubles)) {
    const { code, out, err } = await demo({ DATABASE_URL: url });
    assertEquals(code, 1);
    assert(!out.includes("DEMO OK"));
    assertMatch(err, /^The demo failed: .+/m);
    assert(err.includes(said), err);
    assert(!/^\s+at /m.test(err), `no stack trace, but:\n${err}`);
  }
});
