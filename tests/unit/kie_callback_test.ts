import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { isSignedByKie } from "../../shared/providers/kie/signature.ts";
import { parseKieCallback } from "../../shared/providers/kie/webhook.ts";
import { kieSignatureHeaders } from "../support/kie_signature.ts";
import { toldState } from "../support/told_state.ts";
import { TASK } from "../support/kie_support.ts";

const FILE = "https://tempfile.aiquickdraw.com/v/a.mp4";
const KEY = "the key of the console";
const NOW = 1_795_000_000_000;

const record = {
  taskId: TASK,
  state: "success",
  resultJson: JSON.stringify({ resultUrls: [FILE] }),
  consumeCredits: 100,
};
const done = `${TASK} succeeded ${FILE} 0.5`;
const doneForAnyPrice = `${TASK} succeeded ${FILE} undefined`;
const veo = { resultUrls: [FILE], originUrls: ["https://x.example/o.mp4"], resolution: "1080p" };

const forms: readonly (readonly [name: string, body: unknown, expected: readonly string[]])[] = [
  ["a market success", { code: 200, msg: "ok", data: record }, [done]],
  [
    "a market failure",
    {
      code: 501,
      msg: "Playground task failed.",
      data: { taskId: TASK, state: "fail", failCode: "500", failMsg: "Internal server error" },
    },
    [`${TASK} failed provider 500`],
  ],
  ["Veo", { code: 200, msg: "ok", data: { taskId: TASK, info: veo } }, [doneForAnyPrice]],
  [
    "Veo of old, links as JSON",
    {
      code: 200,
      msg: "ok",
      data: { task_id: TASK, info: { resultUrls: JSON.stringify([FILE]) } },
    },
    [doneForAnyPrice],
  ],
  [
    "Veo refused",
    { code: 400, msg: "Your prompt was flagged", data: { taskId: TASK, fallbackFlag: false } },
    [`${TASK} failed safety 400`],
  ],
  [
    "Veo rejected upstream",
    { code: 422, msg: "Rejected", data: { taskId: TASK } },
    [`${TASK} failed validation 422`],
  ],
  [
    "Veo in trouble",
    { code: 500, msg: "Internal", data: { taskId: TASK } },
    [`${TASK} failed provider 500`],
  ],
  ["at the root", record, [done]],
  ["no task", { code: 200, msg: "ok", data: {} }, []],
  ["no object", "text", []],
];

Deno.test("a callback is read in each of its forms", () => {
  for (const [name, body, expected] of forms) {
    assertEquals(parseKieCallback(body).map(toldState), expected, name);
  }
});

Deno.test("no body makes the reader throw", () => {
  fc.assert(fc.property(fc.jsonValue(), (body) => {
    parseKieCallback(body);
    parseKieCallback({ code: 200, data: body });
    parseKieCallback({ code: 200, data: { taskId: TASK, resultJson: body, info: body } });
  }));
});

/** Headers as KIE sends them. */
function signedHeaders(wrong: { taskId?: string; key?: string; at?: number } = {}): Headers {
  return new Headers(kieSignatureHeaders({ taskId: TASK, key: KEY, at: NOW, ...wrong }));
}

function isSigned(headers: Headers, body: unknown): Promise<boolean> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return isSignedByKie({ headers, body: text, key: KEY, now: NOW });
}

Deno.test("a true signature is taken wherever the body names the task", async () => {
  for (const data of [{ taskId: TASK }, { task_id: TASK }]) {
    assertEquals(await isSigned(signedHeaders(), { code: 200, msg: "ok", data }), true);
    assertEquals(await isSigned(signedHeaders(), data), true);
  }
});

Deno.test("F13 another key, another task, an old time, junk or nothing is not", async () => {
  const body = { code: 200, msg: "ok", data: { taskId: TASK } };
  const minute = 60_000;
  assertEquals(await isSigned(signedHeaders({ at: NOW - 4 * minute }), body), true);
  assertEquals(await isSigned(signedHeaders({ at: NOW + 4 * minute }), body), true);
  const wrong: readonly (readonly [name: string, headers: Headers, body: unknown])[] = [
    ["another key", signedHeaders({ key: "another" }), body],
    ["another task", signedHeaders({ taskId: "another" }), body],
    ["replayed later", signedHeaders({ at: NOW - 6 * minute }), body],
    ["from ahead", signedHeaders({ at: NOW + 6 * minute }), body],
    ["no headers", new Headers(), body],
    ["no task in the body", signedHeaders(), { code: 200, msg: "ok" }],
    ["no JSON", signedHeaders(), "not JSON"],
  ];
  for (const [name, headers, body] of wrong) {
    assertEquals(await isSigned(headers, body), false, name);
  }
  for (const change of [{ signature: "*" }, { signature: "" }, { timestamp: "1e9" }]) {
    const headers = signedHeaders();
    for (const [name, value] of Object.entries(change)) headers.set(`x-webhook-${name}`, value);
    assertEquals(await isSigned(headers, body), false, JSON.stringify(change));
  }
});
