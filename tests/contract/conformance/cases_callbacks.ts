/** What providers post to us, which is never believed and must never break anything. */
import { assertEquals } from "@std/assert";
import { settlesOnce } from "./settles_once.ts";
import { accepted, asked, succeeded } from "./steps.ts";
import type { Case } from "./suite.ts";

const JUNK: readonly unknown[] = [null, 7, "x", [], {}, { data: null }, { data: [{}] }, [[]]];

/** Cases of parseEvent. */
export const callbackCases: readonly Case[] = [
  {
    name: "a callback that comes twice says twice what a poll says",
    needs: "callbacks",
    async run(bench) {
      const id = await accepted(bench);
      bench.levers.finish(id);
      const calls = bench.levers.calls();
      const bodies = await bench.levers.callBackTwice(id);
      assertEquals(bodies.length, 2);
      const told = bodies.map((body) => bench.provider.parseEvent(body));
      assertEquals(told[0], told[1]);
      assertEquals(bench.levers.calls(), calls, "reading a callback makes no call");
      const [state] = told[0] ?? [];
      assertEquals([state?.id, state?.state], [id, "succeeded"]);
      assertEquals(succeeded(state).videoUrl, succeeded(await asked(bench, id)).videoUrl);
    },
  },
  {
    name: "a callback that comes twice settles the video once",
    needs: "callbacks",
    run: settlesOnce,
  },
  {
    name: "a callback of a failure",
    needs: "callbacks",
    async run(bench) {
      const id = await accepted(bench);
      bench.levers.fail(id, "provider");
      const [body] = await bench.levers.callBackTwice(id);
      assertEquals(bench.provider.parseEvent(body).map((one) => [one.id, one.state]), [
        [id, "failed"],
      ]);
    },
  },
  {
    name: "who is waited for is who calls back",
    run({ provider, lacks }) {
      assertEquals(provider.callsBack, lacks.callbacks === undefined);
      return Promise.resolve();
    },
  },
  {
    name: "junk for a callback speaks of no task",
    run({ provider }) {
      assertEquals(JUNK.flatMap((body) => provider.parseEvent(body)), []);
      return Promise.resolve();
    },
  },
];
