/** A fourth provider, added as docs/providers.md says: a folder (tests/fixtures/toy) and a line. */
import { assertEquals } from "@std/assert";
import * as known from "../../shared/providers/known.ts";
import { createProviders, modelsOf } from "../../shared/providers/registry.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { pollAll } from "../../shared/stages/poll.ts";
import { submitAll } from "../../shared/stages/submit.ts";
import { toy } from "../fixtures/toy/entry.ts";
import { startToySandbox } from "../fixtures/toy/sandbox.ts";
import { toySubject } from "../fixtures/toy/subject.ts";
import {
  newestJob,
  newFamily,
  passTime,
  queueVideo,
  TWINKLE,
  videoOf,
} from "../support/fixtures.ts";
import { quiet, withSql } from "../support/sql.ts";
import { registerConformance } from "./conformance/run.ts";

registerConformance([toySubject]);

const entries = Object.values({ ...known, toy });

Deno.test("toy: the registry has it with the others, once it has a key", async () => {
  const keys = new Map([["RUNWARE_API_KEY", "a"], ["TOY_API_KEY", "b"]]);
  const env = (name: string) => keys.get(name);
  assertEquals([...(await createProviders(env, entries)).keys()], ["runware", "toy"]);
  assertEquals(modelsOf("toy", entries).map(({ id }) => id), ["flipbook"]);
  keys.delete("TOY_API_KEY");
  assertEquals([...(await createProviders(env, entries)).keys()], ["runware"]);
});

Deno.test("toy: with its row, the workers hand over to it, ask it and settle", async () => {
  const sandbox = await startToySandbox();
  const variables = new Map([["TOY_API_KEY", sandbox.apiKey], ["TOY_URL", sandbox.url]]);
  const providers = await createProviders((name) => variables.get(name), entries);
  try {
    await withSql(async (db) => {
      await db.query("insert into app.providers (name, max_in_flight) values ('toy', 5)");
      await db.query(
        `update public.rhymes set provider = 'toy', model = 'flipbook', duration_seconds = 5,
           width = 1280, height = 720 where id = $1`,
        [TWINKLE],
      );
      const { video_id } = await queueVideo(db, await newFamily(db, { gems: 10 }));
      const queue = openQueue(db, quiet);
      await queue.ready();
      const tools = { database: db, queue, node: "toy", log: quiet };
      await submitAll(
        tools,
        providers,
        () => ({ video_job_id: id, model }) =>
          Promise.resolve({ id, model, prompt: "A duck.", durationSeconds: 5 }),
      );
      const { id } = await newestJob(db, video_id);
      Object.assign(sandbox.drawings.get(id) ?? {}, { state: "drawn" });
      await passTime(db, "1 minute");
      await pollAll(tools, providers);
      const { status, stage } = await videoOf(db, video_id);
      assertEquals([status, stage], ["rendering", "rendering"]);
      await queue.close();
    });
  } finally {
    await sandbox.close();
  }
});
