/** What the tasks of the stack do with arguments that they do not take. */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { ROOT } from "../../local/env.ts";

/** Each task's file, with what it takes. */
const TASKS = {
  reset: { file: "local/reset.ts", usage: "deno task reset" },
  status: { file: "local/status.ts", usage: "deno task status [--json]" },
  dev: { file: "local/dev.ts", usage: "deno task dev" },
  demo: { file: "local/demo.ts", usage: "deno task demo" },
  generate: { file: "local/generate.ts", usage: "deno task generate" },
  verify: { file: "local/verify/main.ts", usage: "deno task verify [--write-types]" },
} as const;

async function run(file: string, argument: string, dataDir: string) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", join(ROOT, file), argument],
    env: { NO_COLOR: "1", DATABASE_URL: "", GEMREEL_DATA_DIR: dataDir },
    stdin: "null",
    // One that goes on to its work must not go on for ever.
    signal: AbortSignal.timeout(60_000),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, out: text(stdout), err: text(stderr) };
}

for (const [task, { file, usage }] of Object.entries(TASKS)) {
  Deno.test(`${task} touches nothing when it is asked for help, or for what it does not do`, async () => {
    const dataDir = await Deno.makeTempDir({ prefix: "gemreel-arguments-" });
    try {
      await Deno.writeTextFile(join(dataDir, "kept"), "");
      const help = await run(file, "--help", dataDir);
      assertEquals([help.code, help.out, help.err], [0, `Usage: ${usage}`, ""]);
      const refused = await run(file, "--foo", dataDir);
      assertEquals([refused.code, refused.out], [2, ""]);
      assertMatch(refused.err, /^"--foo" is not known\. Usage: .+$/);
      assertEquals(refused.err.endsWith(usage), true);
      assertEquals(await Array.fromAsync(Deno.readDir(dataDir), ({ name }) => name), ["kept"]);
    } finally {
      await Deno.remove(dataDir, { recursive: true }).catch(() => {});
    }
  });
}
