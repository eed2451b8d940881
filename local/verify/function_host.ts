/**
 * Serves one edge function on a free port of 127.0.0.1 until stdin ends. Runs on the oldest Deno we
 * promise to run on, with the function's own deno.json, so it imports nothing.
 *
 *   deno run -A --config <function>/deno.json local/verify/function_host.ts <function>/index.ts
 */
const entry = Deno.args[0];
if (entry === undefined) throw new Error("Which function? Give the path of its index.ts");

const module = await import(new URL(entry, `file://${Deno.cwd()}/`).href);
const handle = (request: Request): Promise<Response> => module.default.fetch(request);
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handle);
console.log(JSON.stringify({ port: server.addr.port }));

for await (const _ of Deno.stdin.readable);
Deno.exit(0);
