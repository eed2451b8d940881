/**
 * One worker process of the benchmark "workers": `deno run -A drainer.ts URL`. Says "ready", and at each
 * line hands over until nothing is left and prints the attempts it handed over as JSON.
 */
import { textLines } from "../../../local/lines.ts";
import { startWorker } from "./worker.ts";

const [url = ""] = Deno.args;
const worker = await startWorker(url);
console.log("ready");
let told = 0;
for await (
  const _ of Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(textLines())
) {
  // The others may hold what is left for a moment, so a single empty round is not the end.
  for (let empty = 0; empty < 2;) {
    empty = await worker.submit() === 0 ? empty + 1 : 0;
  }
  console.log(JSON.stringify(worker.handedOver.slice(told)));
  told = worker.handedOver.length;
}
await worker.close();
