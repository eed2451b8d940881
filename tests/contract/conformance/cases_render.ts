/** Asking about tasks: progress, success with file and cost, each way to fail, and no answer at all. */
import { assert, assertEquals } from "@std/assert";
import { accepted, asked, download, isMp4, succeeded, wordOf } from "./steps.ts";
import type { Case, RenderTrouble } from "./suite.ts";

const failures: readonly Case[] = (["provider", "timeout", "safety", "validation"] as const).map((
  kind: RenderTrouble,
) => ({
  name: `a render fails: ${kind}`,
  needs: `render: ${kind}`,
  async run(bench) {
    const id = await accepted(bench);
    bench.levers.fail(id, kind);
    const state = await asked(bench, id);
    assertEquals(wordOf(state), `failed ${kind}`);
    assert(state.state === "failed" && state.error.code !== "", "the provider's own code is kept");
    assertEquals(await asked(bench, id), state, "asked twice, told the same");
  },
}));

/** A call that tells nothing must not be taken for news about the task. */
const unanswered: readonly Case[] = (["auth", "balance", "rate", "server", "unreadable"] as const)
  .map((kind) => ({
    name: `asked in vain: ${kind}`,
    needs: `call: ${kind}`,
    async run(bench) {
      const id = await accepted(bench);
      bench.levers.trouble(kind, "poll");
      assertEquals((await asked(bench, id)).state, "unanswered");
      assertEquals((await asked(bench, id)).state, "processing");
    },
  }));

/** Cases of poll and cancel. */
export const renderCases: readonly Case[] = [
  {
    name: "what is being made is processing, however often it is asked about",
    async run(bench) {
      const id = await accepted(bench);
      const begun = await asked(bench, id);
      bench.levers.advance(id);
      const working = await asked(bench, id);
      assertEquals([begun.state, working.state], ["processing", "processing"]);
    },
  },
  {
    name: "progress is told in percent",
    needs: "progress",
    async run(bench) {
      const id = await accepted(bench);
      bench.levers.advance(id);
      const state = await asked(bench, id);
      const told = state.state === "processing" ? state.progress : undefined;
      assert(told !== undefined && told > 0 && told < 100, `"${told}" % is not half-way`);
    },
  },
  {
    name: "nobody tells progress that is said to be lacking",
    async run(bench) {
      const id = await accepted(bench);
      bench.levers.advance(id);
      const state = await asked(bench, id);
      const told = state.state === "processing" && state.progress !== undefined;
      assertEquals(told, bench.lacks.progress === undefined);
    },
  },
  {
    name: "success: a file that plays, its cost, and the same again",
    async run(bench) {
      const id = await accepted(bench);
      bench.levers.finish(id);
      const state = succeeded(await asked(bench, id));
      assert((state.costUsd ?? 0) > 0, "a video that was made has cost something");
      const file = await download(bench, state.videoUrl);
      assertEquals([file.status, file.headers.get("content-type")], [200, "video/mp4"]);
      assert(isMp4(await file.bytes()));
      assertEquals(succeeded(await asked(bench, id)).costUsd, state.costUsd);
    },
  },
  {
    name: "many at once: each its own state, in order, whatever became of the others",
    async run(bench) {
      const done = await accepted(bench);
      const failed = await accepted(bench);
      const working = await accepted(bench);
      const unknown = bench.levers.unknownTask();
      bench.levers.finish(done);
      bench.levers.fail(failed, "provider");
      const ids = [working, unknown, done, failed];
      const states = await bench.provider.poll(ids);
      assertEquals(states.map(({ id }) => id), ids);
      assertEquals(states.map(({ state }) => state), [
        "processing",
        "missing",
        "succeeded",
        "failed",
      ]);
    },
  },
  ...failures,
  ...unanswered,
  {
    name: "an unknown task is missing, and never failed",
    async run(bench) {
      const state = await asked(bench, bench.levers.unknownTask());
      assertEquals(wordOf(state), "missing not_found");
    },
  },
  {
    name: "an expired result refuses its file, and the task has still succeeded",
    async run(bench) {
      const id = await accepted(bench);
      bench.levers.finish(id);
      const before = succeeded(await asked(bench, id));
      bench.levers.expire(id);
      const file = await download(bench, before.videoUrl);
      await file.body?.cancel();
      assert(file.status >= 400, `An expired file answered ${file.status}`);
      assertEquals((await asked(bench, id)).state, "succeeded");
    },
  },
  {
    name: "an expired result is had again by asking again",
    needs: "fresh urls",
    async run(bench) {
      const id = await accepted(bench);
      bench.levers.finish(id);
      const before = succeeded(await asked(bench, id));
      bench.levers.expire(id);
      const after = succeeded(await asked(bench, id));
      assert(before.videoUrl !== after.videoUrl);
      assert(isMp4(await (await download(bench, after.videoUrl)).bytes()));
    },
  },
  {
    name: "cancelled: it never delivers",
    needs: "cancel",
    async run(bench) {
      const id = await accepted(bench);
      assertEquals(await bench.provider.cancel?.(id), { outcome: "cancelled" });
      const { state } = await asked(bench, id);
      assert(state === "missing" || state === "failed", `A cancelled task is ${state}`);
      const again = await bench.provider.cancel?.(bench.levers.unknownTask());
      assertEquals(again?.outcome, "missing");
    },
  },
  {
    name: "nobody offers to cancel what cannot be cancelled",
    run({ provider, lacks }) {
      assertEquals(provider.cancel === undefined, lacks.cancel !== undefined);
      return Promise.resolve();
    },
  },
];
