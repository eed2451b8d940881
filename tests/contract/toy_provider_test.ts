/** A fourth provider, added as docs/providers.md says: a folder (tests/fixtures/toy) and a line. */
import { assertEquals, assertRejects } from "@std/assert";
import { PostgrestClient } from "@supabase/postgrest-js";
import type { Database } from "../../shared/db/database.types.ts";
import { openQueue } from "../../shared/db/queue.ts";
import { orderPlacer } from "../../shared/doors/queue_orders.ts";
import { schemaChooser } from "../../shared/doors/queue_request.ts";
import { queueVideo } from "../../shared/doors/queue_video.ts";
import { HttpError } from "../../shared/http/http_error.ts";
import { wordList } from "../../shared/moderation/word_list.ts";
import * as known from "../../shared/providers/known.ts";
import { createProviders, makersOf, modelsOf } from "../../shared/providers/registry.ts";
import { pollAll } from "../../shared/stages/poll.ts";
import { submitAll } from "../../shared/stages/submit.ts";
import { videoTaskBuilder } from "../../shared/stages/video_task.ts";
import { createStorageApi } from "../../shared/storage/storage_api.ts";
import { toy } from "../fixtures/toy/entry.ts";
import { startToySandbox } from "../fixtures/toy/sandbox.ts";
import { toySubject } from "../fixtures/toy/subject.ts";
import { type AppStack, BY_HAND, newCustomer, withApp } from "../support/app.ts";
import { brokenInvariants, entriesOf, newestJob, passTime, videoOf } from "../support/fixtures.ts";
import { quiet } from "../support/sql.ts";
import { registerConformance } from "./conformance/run.ts";

registerConformance([toySubject]);

const withToy = { ...known, toy: () => Promise.resolve(toy) };

Deno.test("toy: the registry has it with the others, once it has a key", async () => {
  const keys = new Map([["RUNWARE_API_KEY", "a"], ["TOY_API_KEY", "b"]]);
  const env = (name: string) => keys.get(name);
  assertEquals([...(await createProviders(env, withToy)).keys()], ["runware", "toy"]);
  assertEquals((await modelsOf("toy", withToy)).map(({ id }) => id), ["flipbook"]);
  keys.delete("TOY_API_KEY");
  assertEquals([...(await createProviders(env, withToy)).keys()], ["runware"]);
});

/** What a deployment with these providers would configure its door with. */
function doorOf(
  app: AppStack,
  env: (name: string) => string | undefined,
  admin: () => PostgrestClient<Database>,
) {
  return {
    projectUrl: app.supabaseUrl,
    body: schemaChooser({ imageHosts: ["images.example.com"] }),
    makers: () => makersOf(env, withToy),
    modelsOf: (provider: string) => modelsOf(provider, withToy),
    moderator: () => Promise.resolve(wordList),
    placeOrder: orderPlacer(admin),
  };
}

Deno.test("toy: with its rows it is asked for, quoted, charged, handed over to, polled and settled", async () => {
  const sandbox = await startToySandbox();
  const variables = new Map([["TOY_API_KEY", sandbox.apiKey], ["TOY_URL", sandbox.url]]);
  const env = (name: string) => variables.get(name);
  const providers = await createProviders(env, withToy);
  try {
    await withApp(BY_HAND, async (app) => {
      await app.db.query("insert into app.providers (name, max_in_flight) values ('toy', 5)");
      await app.db.query(
        `insert into app.prices (provider, model, resolution, gems_per_second)
         values ('toy', 'flipbook', '720p', 0.2)`,
      );
      const customer = await newCustomer(app, { gems: 10 });
      const admin = new PostgrestClient<Database>(`${app.supabaseUrl}/rest/v1`, {
        headers: { apikey: app.secretKey, authorization: `Bearer ${app.secretKey}` },
      });
      const visit = { userId: customer.id, admin: () => admin, requestId: "toy", log: quiet };
      const ask = async (more: object) => {
        const body = JSON.stringify({ kind: "prompt", prompt: "A duck.", ...more });
        const request = new Request("http://toy.example/", { method: "POST", body });
        return await (await queueVideo(request, visit, doorOf(app, env, () => admin))).json();
      };
      const { quote } = await ask({ quote: true });
      assertEquals([quote.provider, quote.model, quote.gem_cost], ["toy", "flipbook", 1]);
      await assertRejects(() => ask({ seed: 7 }), HttpError, "takes no seed");
      const { video_id } = await ask({});

      const queue = openQueue(app.db, quiet);
      await queue.ready();
      const tools = { database: app.db, queue, node: "toy", log: quiet };
      const secrets = { url: app.supabaseUrl, secretKey: app.secretKey };
      await submitAll(tools, providers, async (provider) =>
        videoTaskBuilder({
          models: await modelsOf(provider, withToy),
          webhook: { secrets: ["s".repeat(32)] },
          functionName: `${provider}-webhook`,
          storage: createStorageApi(secrets),
        }));
      const { id } = await newestJob(app.db, video_id);
      Object.assign(sandbox.drawings.get(id) ?? {}, { state: "drawn" });
      await passTime(app.db, "1 minute");
      await pollAll(tools, providers);
      const { status, stage } = await videoOf(app.db, video_id);
      assertEquals([status, stage], ["rendering", "rendering"]);
      assertEquals(await entriesOf(app.db, video_id), [{ kind: "charge", amount: -1 }]);
      assertEquals(await brokenInvariants(app.db), []);
      await queue.close();
    });
  } finally {
    await sandbox.close();
  }
});
