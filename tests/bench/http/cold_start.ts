/**
 * Run by cold.ts in a process of its own: imports a function, calls it once, and prints the milliseconds
 * from the start of its Deno to its answer, and the answer's status.
 *
 *   deno run -A cold_start.ts <entry> <url> <headers as JSON> <body>
 */
const [entry = "", url = "", headers = "{}", body = ""] = Deno.args;
const { default: door } = await import(new URL(entry, `file://${Deno.cwd()}/`).href);
const response: Response = await door.fetch(
  new Request(url, { method: "POST", headers: JSON.parse(headers), body }),
);
await response.text();
console.log(JSON.stringify({ status: response.status, milliseconds: performance.now() }));
Deno.exit(0);
