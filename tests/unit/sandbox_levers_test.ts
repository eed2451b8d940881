/** The control APIs of the sandboxes of Runway and KIE answer as that of Runware does. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { KnobError } from "../../local/sandbox/knob_error.ts";
import { startKieSandbox } from "../../local/sandbox/kie.ts";
import { startRunwaySandbox } from "../../local/sandbox/runway.ts";

const start = {
  runway: (knobs = {}) => startRunwaySandbox({ knobs }),
  kie: (knobs = {}) => startKieSandbox({ knobs }),
};

for (const name of ["runway", "kie"] as const) {
  const withControl = (work: (ask: Ask) => Promise<void>) => async () => {
    const sandbox = await start[name]();
    try {
      await work(async (method, path, body) => {
        const response = await fetch(`${sandbox.controlUrl}/${path}`, {
          method,
          ...(body === undefined ? {} : { body }),
        });
        return { status: response.status, body: await response.json() };
      });
    } finally {
      await sandbox.close();
    }
  };

  Deno.test(
    `sandbox of ${name}: config tells all knobs, before and after one is turned`,
    withControl(async (ask) => {
      const before = await ask("GET", "config");
      assertEquals([before.status, before.body["manual"]], [200, false]);
      const turned = await ask("POST", "config", '{"manual": true}');
      assertEquals(turned.body, { ...before.body, manual: true });
      assertEquals((await ask("GET", "config")).body, turned.body);
    }),
  );

  Deno.test(
    `sandbox of ${name}: a wrong knob or value is refused by name, and nothing is turned`,
    withControl(async (ask) => {
      const before = (await ask("GET", "config")).body;
      const unknown = await ask("POST", "config", '{"renderMs": 1, "lostAk": 1}');
      assertEquals(unknown, {
        status: 400,
        body: {
          error: 'There is no knob "lostAk"',
          field: "lostAk",
          allowed: Object.keys(before),
        },
      });
      for (
        const [knob, value] of [
          ["renderMs", "soon"],
          ["renderMs", -1],
          ["lostAck", 1.5],
          ["lostAck", { next: 1, on: "sundays" }],
          ["failTasks", { next: 1, on: "poll" }],
          ["retryAfterSeconds", "soon"],
          ["manual", null],
        ] as const
      ) {
        const { status, body } = await ask("POST", "config", JSON.stringify({ [knob]: value }));
        assertEquals([status, body["field"]], [400, knob]);
        const said = `${body["error"]}`;
        assert(said.startsWith(`Knob "${knob}" cannot be ${JSON.stringify(value)}: `), said);
        assert(!said.includes("\n"), said);
      }
      assertEquals((await ask("GET", "config")).body, before);
    }),
  );

  Deno.test(
    `sandbox of ${name}: what is no JSON, no time and no task of its own is refused in a sentence`,
    withControl(async (ask) => {
      const error = async (path: string, body?: string) => {
        const answer = await ask("POST", path, body);
        return [answer.status, answer.body["error"]];
      };
      assertEquals(await error("config", "{"), [400, "The request is not JSON"]);
      assertEquals(await error("config", "[]"), [400, "The request must be a JSON object"]);
      assertEquals(await error("advance", '{"ms": "5"}'), [
        400,
        '"ms" cannot be "5": it must be 0 or more',
      ]);
      assertEquals(await error("tasks/7/fail", '{"code": 5}'), [400, '"code" must be a text']);
      assertEquals(await error("tasks/7/finish"), [404, 'The sandbox has no task "7"']);
    }),
  );

  Deno.test(`sandbox of ${name}: it does not start with a knob that does not exist`, async () => {
    await assertRejects(() => start[name](JSON.parse('{"lostAk": 1}')), KnobError);
  });
}

type Ask = (
  method: "GET" | "POST",
  path: string,
  body?: string,
) => Promise<{ status: number; body: Record<string, unknown> }>;
