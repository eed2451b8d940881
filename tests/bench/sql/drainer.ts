/**
 * One worker process of the benchmark "workers": `deno run -A drainer.ts URL`. Says "ready", waits for
 * a line, hands over until nothing is left, and prints the attempts it handed over as JSON.
 */
import { startWorker } from "./worker.ts";

const [url = ""] = Deno.args;
const worker = await startWorker(url);
console.log("ready");
await Deno.stdin.read(new Uint8Array(16));
// The others may hold what is left for a moment, so a single empty round is not the end.
for (let empty = 0; empty < 2;) {
  empty = await worker.submit() === 0 ? empty + 1 : 0;
}
console.log(JSON.stringify(worker.handedOver));
await worker.close();
