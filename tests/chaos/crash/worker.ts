/**
 * A worker process that a test can kill at any crossing of a port: the product's own stages, drained
 * as the edge functions drain them. Commands come as lines on stdin; it ends when stdin does.
 */
import { createAuthAdmin } from "../../../shared/auth_admin.ts";
import { openDatabase } from "../../../shared/db/database.ts";
import { openQueue } from "../../../shared/db/queue.ts";
import { createLog } from "../../../shared/log.ts";
import { createProviders, modelsOf } from "../../../shared/providers/registry.ts";
import { type ChannelName, CHANNELS } from "../../../shared/notify/channel.ts";
import { createChannels } from "../../../shared/notify/channels.ts";
import type { Batch } from "../../../shared/stages/batch_of_each.ts";
import { drain } from "../../../shared/stages/drain.ts";
import { forget } from "../../../shared/stages/forget.ts";
import { maintain } from "../../../shared/stages/maintain.ts";
import { notifyBatch, type NotifyTools } from "../../../shared/stages/notify.ts";
import { pollAll } from "../../../shared/stages/poll.ts";
import { videoTaskBuilder } from "../../../shared/stages/video_task.ts";
import { storeBatch } from "../../../shared/stages/store.ts";
import { submitAll } from "../../../shared/stages/submit.ts";
import type { WorkerTools } from "../../../shared/stages/worker_tools.ts";
import { createObjectStore } from "../../../shared/storage/object_store.ts";
import { createPictures } from "../../../shared/storage/pictures.ts";
import { createStorageApi } from "../../../shared/storage/storage_api.ts";
import { textLines } from "../../../local/lines.ts";
import { Crossings, tell } from "./crossings.ts";
import { watchDatabase, watchFetch, watchProvider, watchQueue, watchStore } from "./ports.ts";
import { command, type StageName, type Surroundings } from "./protocol.ts";

/** One life of a worker: what an isolate holds between its start and its end. */
interface Life {
  run(stage: StageName): Promise<unknown>;
  end(): Promise<void>;
}

const crossings = new Crossings();
globalThis.fetch = watchFetch(crossings, fetch);

let life: Life | undefined;
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(textLines());
for await (const line of lines) {
  try {
    const order = command.parse(JSON.parse(line));
    if (order.do === "open") {
      await life?.end();
      crossings.begin(order.fuse);
      life = await begin(order);
    } else {
      crossings.enter(order.stage);
      await life?.run(order.stage);
    }
    tell({ say: "done", crossings: crossings.take() });
  } catch (error) {
    tell({ say: "failed", error: Deno.inspect(error) });
  }
}
Deno.exit(0);

async function begin(around: Surroundings): Promise<Life> {
  const { databaseUrl, supabaseUrl, secretKey, providersEnv, notifyEnv } = around;
  const log = createLog({}, () => {});
  const database = watchDatabase(openDatabase(databaseUrl, { log }), crossings);
  const queue = watchQueue(openQueue(database, log), crossings);
  const tools: WorkerTools = { database, queue, log, node: `crash-${crypto.randomUUID()}` };
  const store = watchStore(createObjectStore({ url: supabaseUrl, secretKey }), crossings);
  const providers = new Map(
    [...await createProviders((name) => providersEnv[name])].map((
      [name, provider],
    ) => [name, watchProvider(provider, crossings)]),
  );
  const builderFor = async (provider: string) =>
    videoTaskBuilder({
      models: await modelsOf(provider),
      webhook: { secrets: ["the sandbox is given no webhook address"] },
      functionName: `${provider}-webhook`,
      storage: createStorageApi({ url: supabaseUrl, secretKey }),
    });
  const storage = createStorageApi({ url: supabaseUrl, secretKey });
  const forgetters = { storage, auth: createAuthAdmin({ url: supabaseUrl, secretKey }) };
  const notifyTools = {
    channels: createChannels((name) => notifyEnv[name]),
    storage,
    missed: new Set<ChannelName>(),
  };
  const pictures = createPictures({ url: supabaseUrl, secretKey }, { hosts: [] });
  const drained = (stage: string, step: () => Promise<Batch>) => drain(tools, stage, step);
  const stages: Record<StageName, () => Promise<unknown>> = {
    submit: () => drained("submit", () => submitAll(tools, providers, builderFor)),
    poll: () => drained("poll", () => pollAll(tools, providers)),
    store: () => drained("store", () => storeBatch(tools, providers, store, pictures)),
    notify: () => drained("notify", () => notifyInTurn(tools, notifyTools)),
    maintain: async () => {
      await maintain(tools);
      crossings.enter("forget");
      await forget(tools, forgetters);
    },
  };
  return {
    async run(stage) {
      await queue.ready();
      await stages[stage]();
    },
    async end() {
      await queue.close();
      await database.close();
    },
  };
}

/** One channel after the other: side by side they would cross in another order each time. */
async function notifyInTurn(tools: WorkerTools, notifyTools: NotifyTools): Promise<Batch> {
  let taken = 0;
  for (const channel of CHANNELS) {
    taken += (await notifyBatch(tools, { ...notifyTools, served: [channel] })).taken;
  }
  return { taken, fullness: 0 };
}
