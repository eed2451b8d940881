import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import {
  type Answer,
  type AppStack,
  call,
  headersOf,
  newCustomer,
  queued,
  work,
} from "../support/app.ts";
import { CONSENT_TEXT } from "../support/avatars.ts";
import { byHand, delivered, stored, submitted } from "../support/by_hand.ts";
import { balanceOf, entriesOf, value, videoOf } from "../support/fixtures.ts";
import { withJudge } from "../support/judge.ts";
import { withKieScene } from "../support/kie_scene.ts";

type Customer = Awaited<ReturnType<typeof newCustomer>>;

const FRAMES = {
  first_frame: "https://images.example.com/1.png",
  last_frame: "https://images.example.com/2.png",
};

function ask(app: AppStack, who: Customer, body: object, key?: string): Promise<Answer> {
  return call(app, "queue-video", {
    headers: { ...headersOf(app, who), ...(key === undefined ? {} : { "idempotency-key": key }) },
    body: JSON.stringify({ kind: "prompt", prompt: "A fox runs over a hill", ...body }),
  });
}

const quoteSchema = z.object({
  gem_cost: z.number(),
  gem_balance: z.number(),
  provider: z.string(),
  model: z.string(),
  reason: z.string().optional(),
});
const quoteOf = ({ body }: Answer) => quoteSchema.parse(body["quote"]);

const fieldsOf = ({ body }: Answer) =>
  (Array.isArray(body["details"]) ? body["details"] : []).map(({ field }) => field);

Deno.test("a prompt video from quote to file: the price quoted is the price charged", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app, { gems: 50 });
    const wish = {
      ...{ title: "Fox", style: "Watercolour", prompting_strategy: "precise", seed: 7 },
      ...{ duration: 8, aspect_ratio: "9:16", resolution: "1080p", negative_prompt: "rain" },
    };
    const quote = await ask(app, customer, { ...wish, quote: true });
    assertEquals(quote.status, 200);
    const { gem_cost, provider, model, reason } = quoteOf(quote);
    assert(gem_cost > 0);
    assert(String(reason).includes("cheapest"), String(reason));
    assertEquals(await balanceOf(app.db, { ...customer, userId: customer.id }), 50);

    const queued = await ask(app, customer, wish, "fox-1");
    assertEquals(queued.status, 201, JSON.stringify(queued.body));
    assertEquals(
      [queued.body["gem_cost"], queued.body["provider"], queued.body["model"]],
      [gem_cost, provider, model],
    );
    assertEquals(queued.body["reason"], reason);
    const videoId = String(queued.body["video_id"]);
    assertEquals((await ask(app, customer, wish, "fox-1")).body["video_id"], videoId);
    assertEquals((await ask(app, customer, { ...wish, seed: 8 }, "fox-1")).status, 409);
    assertEquals(await entriesOf(app.db, videoId), [{ kind: "charge", amount: -gem_cost }]);

    const job = await submitted(app, videoId);
    const task = app.sandbox.control.state().tasks.find(({ taskUUID }) => taskUUID === job);
    assertEquals(task?.model, model);
    await delivered(app, videoId);
    await stored(app);
    assertEquals((await videoOf(app.db, videoId)).status, "completed");
  });
});

Deno.test("image and clip videos start from their frames; what they need is asked for by name", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app, { gems: 100 });
    const { first_frame } = FRAMES;
    for (const body of [{ kind: "image", first_frame }, { kind: "clip", ...FRAMES }]) {
      const { status, body: answer } = await ask(app, customer, { ...body, provider: "runware" });
      assertEquals(status, 201, JSON.stringify(answer));
      const videoId = String(answer["video_id"]);
      const options = await value(
        app.db,
        "select options as value from public.videos where id = $1",
        [videoId],
      );
      assertEquals((options as Record<string, unknown>)["first_frame"], first_frame);
      await delivered(app, videoId);
      await stored(app);
      assertEquals((await videoOf(app.db, videoId)).status, "completed");
    }
    const refusals: [object, string[]][] = [
      [{ kind: "image" }, ["first_frame"]],
      [{ kind: "clip", first_frame }, ["last_frame"]],
      [{ kind: "prompt", first_frame }, ["first_frame"]],
      [{ kind: "film" }, ["kind"]],
      [{ kind: "image", first_frame: "https://evil.example/1.png" }, ["first_frame"]],
      [{ kind: "image", first_frame: "http://127.0.0.1/1.png" }, ["first_frame"]],
      [{ kind: "prompt", prompt: "x" }, ["prompt"]],
      [{ kind: "prompt", gem_cost: 1 }, ["gem_cost"]],
      [{ kind: "prompt", child_id: "x" }, ["child_id"]],
    ];
    for (const [body, fields] of refusals) {
      const refused = await ask(app, customer, body);
      assertEquals([refused.status, fieldsOf(refused)], [400, fields], JSON.stringify(body));
    }
  });
});

Deno.test("what no model, or not the one named, can do is 422 with field and allowed values, before any charge", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app, { gems: 50 });
    const model = "pixverse:1@5-fast";
    const picture = { kind: "image", first_frame: FRAMES.first_frame };
    const refusals: [object, string][] = [
      [{ model, duration: 30 }, "duration"],
      [{ model, resolution: "8K" }, "resolution"],
      [{ model, aspect_ratio: "21:9" }, "aspect_ratio"],
      [{ model, audio: true }, "audio"],
      [{ provider: "kie", model: "veo3_fast", audio: false }, "audio"],
      [{ provider: "kie", model: "bytedance/seedance-2", audio: true }, "audio"],
      [{ provider: "kie", model: "kling-3.0/video", resolution: "1080p", seed: 7 }, "seed"],
      // Runway takes no more than 32 bits.
      [{ provider: "runway", model: "gen4.5", seed: 2 ** 32 }, "seed"],
      [{ provider: "kie", model: "bytedance/v1-pro", seed: 2 ** 32 }, "seed"],
      [{ ...picture, model, resolution: "720p" }, "resolution"],
      [{ ...picture, model, aspect_ratio: "9:16" }, "aspect_ratio"],
      [{ model: "nobody:1@1" }, "model"],
      [{ provider: "nobody" }, "provider"],
      [{ provider: "KIE" }, "provider"],
      [{ provider: "" }, "provider"],
      [{ model, fallbacks: [{ provider: "runware", model: "nobody:1@1" }] }, "fallbacks.0.model"],
    ];
    for (const [body, field] of refusals) {
      const refused = await ask(app, customer, body);
      assertEquals([refused.status, refused.body["code"]], [422, "unsupported_option"]);
      assertEquals(fieldsOf(refused), [field], JSON.stringify(refused.body));
      const [problem] = refused.body["details"] as { allowed: unknown[] }[];
      assert(Array.isArray(problem?.allowed), JSON.stringify(problem));
    }
    const words = await ask(app, customer, { prompt: "A bloody fight with guns" });
    assertEquals([words.status, words.body["code"]], [422, "content_refused"]);
    assertEquals(await value(app.db, "select count(*)::int as value from public.videos"), 0);
    assertEquals(await balanceOf(app.db, { ...customer, userId: customer.id }), 50);
  });
});

Deno.test("a judge of the operator's own has the last word at each door that takes words, and nothing is charged", async () => {
  const refused = ({ words }: { words: Record<string, string> }) =>
    Object.keys(words).find((field) => words[field]?.includes("unicorn"));
  await withJudge(refused, async ({ env, asked }) => {
    await byHand({ functionsEnv: env }, async (app) => {
      const customer = await newCustomer(app, { gems: 50 });
      const headers = headersOf(app, customer);
      const to = (name: string, body: object) =>
        call(app, name, { headers, body: JSON.stringify(body) });
      const prompt = "A unicorn runs over a hill";
      const { data } = await customer.client.from("projects")
        .insert({ user_id: customer.id, title: "The unicorn", frames: { "1": FRAMES } })
        .select("id").single();
      const refusals: [Answer, string][] = [
        [await ask(app, customer, { prompt }), "prompt"],
        [await ask(app, customer, { prompt, quote: true }), "prompt"],
        [await to("generate-video", { prompt }), "prompt"],
        [await to("generate-clips", { project_id: data?.id, wait: 0 }), "title"],
      ];
      for (const [answer, field] of refusals) {
        assertEquals([answer.status, answer.body["code"]], [422, "content_refused"]);
        assertEquals(fieldsOf(answer), [field]);
      }
      assertEquals(asked.map(({ question }) => question.words), [
        ...Array(3).fill({ prompt }),
        { title: "The unicorn" },
      ]);
      assertEquals(asked[0], {
        authorization: "Bearer of-the-judge",
        question: { kind: "prompt", words: { prompt }, frames: {} },
      });
      assertEquals(await value(app.db, "select count(*)::int as value from public.videos"), 0);
      assertEquals(await balanceOf(app.db, { ...customer, userId: customer.id }), 50);
      assertEquals((await ask(app, customer, {})).status, 201, "a fox is fine");
    });
  });
});

Deno.test("F39 a judge of the operator's own is given the child's name when the video is handed over: refused, it is not told to the provider", async () => {
  const refused = ({ words }: { words: Record<string, string> }) =>
    words["child_name"] === "Mia" ? "child_name" : undefined;
  await withJudge(refused, async ({ env, asked }) => {
    await withKieScene({ functionsEnv: env }, async ({ app, kie, customer: mia }) => {
      const zoe = await newCustomer(app, { gems: 10 });
      await zoe.client.from("children").update({ name: "Zoë" }).eq("id", zoe.childId);
      for (const customer of [mia, zoe]) {
        const consent = { p_child_id: customer.childId, p_text_id: CONSENT_TEXT };
        assertEquals((await customer.client.rpc("give_consent", consent)).error, null);
        await queued(app, customer);
      }
      assertEquals(asked, [], "a rhyme is not judged");
      await work(app, "submit-videos");
      const questions = asked.map(({ question }) => question)
        .toSorted((a, b) =>
          String(a.words["child_name"]).localeCompare(b.words["child_name"] ?? "")
        );
      assertEquals(questions, [
        { kind: "rhyme", words: { child_name: "Mia" } },
        { kind: "rhyme", words: { child_name: "Zoë" } },
      ]);
      const prompts = kie.control.state().tasks.map(({ prompt }) => prompt);
      assertEquals(prompts.filter((prompt) => prompt.includes("Zoë")).length, 1);
      assertEquals(prompts.filter((prompt) => prompt.includes("a happy child")).length, 1);
      assert(!prompts.some((prompt) => prompt.includes("Mia")), prompts.join());
    });
  });
});

Deno.test("of a rhyme's own fallbacks those stay that can do what is wished for", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app, { gems: 50 });
    const rhyme_id = "10000000-0000-4000-8000-000000000001";
    const chain = [
      { provider: "kie", model: "bytedance/seedance-2-5" },
      { provider: "kie", model: "bytedance/v1-pro" },
    ];
    await app.db.query(
      `update public.rhymes set provider = 'runware', model = 'runway:1@2', duration_seconds = 5,
         width = 1280, height = 720, fallbacks = $2::text::jsonb where id = $1`,
      [rhyme_id, JSON.stringify(chain)],
    );
    for (const [wish, kept] of [[{}, chain], [{ seed: 7 }, chain.slice(1)]] as const) {
      const { status, body } = await ask(app, customer, {
        ...{ kind: "rhyme", prompt: undefined, child_id: customer.childId, rhyme_id, ...wish },
      });
      assertEquals(status, 201, JSON.stringify(body));
      const statement = "select fallbacks as value from public.videos where id = $1";
      assertEquals(await value(app.db, statement, [body["video_id"]]), kept);
    }
  });
});

Deno.test("a rhyme is quoted, too, and costs what the catalogue says", async () => {
  await byHand({}, async (app) => {
    const customer = await newCustomer(app, { gems: 3 });
    const body = {
      ...{ kind: "rhyme", prompt: undefined, quote: true, child_id: customer.childId },
      rhyme_id: "10000000-0000-4000-8000-000000000001",
    };
    const quoted = await ask(app, customer, body);
    const { gem_cost, gem_balance } = quoteOf(quoted);
    assertEquals([quoted.status, gem_cost, gem_balance], [200, 10, 3]);
  });
});
