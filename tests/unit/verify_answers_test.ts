import { assertEquals } from "@std/assert";
import { type Answers, findAnswerFaults } from "../../local/verify/answers.ts";

function refusal(status: number, code: string): { status: number; text: string } {
  const body = { success: false, error: "No", code, request_id: crypto.randomUUID() };
  return { status, text: JSON.stringify(body) };
}

const good: Answers = {
  GET: refusal(405, "method_not_allowed"),
  POST: refusal(401, "unauthorized"),
  OPTIONS: { status: 204, text: "" },
};

Deno.test("a function that turns strangers away in our form has no fault", () => {
  assertEquals(findAnswerFaults(good), []);
  // Some take both methods.
  assertEquals(findAnswerFaults({ ...good, GET: good.POST }), []);
});

Deno.test("F31 a function that lets a stranger in is found", () => {
  const faults = findAnswerFaults({ ...good, POST: { status: 200, text: '{"success":true}' } });
  assertEquals(faults, [
    "GET answers 405 and POST 200, not 401, or one 401 and one 405",
    `POST answers "{"success":true}", not our form of error`,
  ]);
});

Deno.test("a refusal without a request id is found", () => {
  const text = '{"success":false,"error":"No","code":"unauthorized"}';
  const faults = findAnswerFaults({ ...good, POST: { status: 401, text } });
  assertEquals(faults, [`POST answers "${text}", not our form of error`]);
});

Deno.test("a refusal with another code is found", () => {
  const faults = findAnswerFaults({ ...good, POST: refusal(401, "internal_error") });
  assertEquals(faults, [
    'POST answers 401 with the code "internal_error", not "unauthorized"',
  ]);
});

Deno.test("an OPTIONS that is refused, as a browser would see it, is found", () => {
  const faults = findAnswerFaults({ ...good, OPTIONS: { status: 401, text: "No" } });
  assertEquals(faults, ['OPTIONS answers 401 "No", not an empty 204']);
});
