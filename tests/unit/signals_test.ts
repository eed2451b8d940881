import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";

const SIGNALS = new URL("../../local/signals.ts", import.meta.url).href;
/** Says when it listens and when it is asked to stop, and stops when its stdin ends. */
const PROGRAM = `
import { onStopSignal } from "${SIGNALS}";
onStopSignal(() => console.log("asked"));
console.log("listens");
for await (const _ of Deno.stdin.readable) { /* until it ends */ }
Deno.exit(0);
`;

Deno.test("Ctrl-C that is passed on twice is one: the program stops in its own time", async () => {
  const program = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", `data:application/typescript,${encodeURIComponent(PROGRAM)}`],
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = program.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  const hears = async (word: string) => {
    while (!said.includes(word)) {
      const { value, done } = await lines.read();
      if (done) throw new Error(`It ended after "${said}"`);
      said += value;
    }
  };
  await hears("listens");
  program.kill("SIGINT");
  await hears("asked");
  program.kill("SIGINT");
  program.kill("SIGTERM");
  await program.stdin.close();
  assertEquals((await program.status).code, 0);
  await lines.cancel();
  assertEquals(said.match(/asked/g)?.length, 1);
});
