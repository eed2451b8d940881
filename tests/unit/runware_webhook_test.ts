import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { parseRunwareWebhook } from "../../shared/providers/runware/webhook.ts";
import { toldState } from "../support/told_state.ts";
import { ID_A, ID_B } from "../support/runware_support.ts";

const FILE = "https://vm.runware.ai/video/ws/2/vi/aaaa.mp4";
const receipt = {
  taskType: "videoInference",
  taskUUID: ID_A,
  videoUUID: "v",
  videoURL: FILE,
  seed: 7,
  cost: 0.299,
};
const failure = {
  code: "providerError",
  message: "The engine failed",
  taskUUID: ID_B,
  taskType: "videoInference",
};

const done = `${ID_A} succeeded ${FILE} 0.299`;
const failed = `${ID_B} failed provider providerError`;

const forms: readonly (readonly [name: string, body: unknown, expected: readonly string[]])[] = [
  ["a wrapped receipt", { data: [receipt] }, [done]],
  ["a receipt with status", { data: [{ ...receipt, status: "success" }] }, [done]],
  ["a bare receipt", receipt, [done]],
  ["a receipt inside an object", { data: receipt }, [done]],
  ["a list of receipts", [receipt], [done]],
  ["a wrapped error", { errors: [{ ...failure, parameter: "x", status: "error" }] }, [failed]],
  ["a bare error", failure, [failed]],
  ["an error inside `error`", { error: failure }, [failed]],
  ["an error inside `error`, id outside", { error: { code: "providerError" }, taskUUID: ID_B }, [
    failed,
  ]],
  ["a failed item", { data: [{ ...failure, status: "error" }] }, [failed]],
  ["both at once", { data: [receipt], errors: [failure] }, [done, failed]],
  ["a flat item beside errors", { ...receipt, errors: [failure] }, [done, failed]],
  ["something that only names a task", { taskUUID: ID_A, hello: 1 }, [
    `${ID_A} unanswered server unreadable`,
  ]],
  ["no task at all", { hello: "world" }, []],
  ["a task id that is none", { data: [{ ...receipt, taskUUID: "1; drop table" }] }, []],
  ["null", null, []],
  ["a text", "data", []],
  ["an empty list", [], []],
  ["an empty answer", { data: [], errors: [] }, []],
];

for (const [name, body, expected] of forms) {
  Deno.test(`a webhook of ${name} tells of ${expected.length} tasks`, () => {
    assertEquals([...parseRunwareWebhook(body).map(toldState)].sort(), [...expected].sort());
  });
}

Deno.test("a webhook of any JSON is read without an exception", () => {
  fc.assert(fc.property(fc.jsonValue(), (body) => {
    for (const state of parseRunwareWebhook(body)) assertEquals(typeof state.id, "string");
  }));
});
