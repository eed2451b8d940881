import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ConfigError } from "../../shared/config.ts";
import * as known from "../../shared/providers/known.ts";
import {
  checkSettings,
  createProviders,
  makersOf,
  modelsOf,
} from "../../shared/providers/registry.ts";

const names = Object.keys(known);

Deno.test("only providers with a key are there, under their own names", async () => {
  const env = (name: string) => name === "RUNWARE_API_KEY" ? "rw-key" : undefined;
  const providers = await createProviders(env);
  assertEquals([...providers].map(([key, { name }]) => [key, name]), [["runware", "runware"]]);
  assertEquals(providers.get("runware")?.mediaHosts, ["vm.runware.ai", "im.runware.ai"]);
});

Deno.test("with every key every provider is there, and a worker without any does not start", async () => {
  const all = await createProviders((name) => name.endsWith("_API_KEY") ? "key" : undefined);
  assertEquals([...all.keys()], names);
  assertEquals([...all.values()].map(({ name }) => name), [...all.keys()]);
  await assertRejects(
    () => createProviders(() => undefined),
    ConfigError,
    "RUNWARE_API_KEY is not set",
  );
});

Deno.test("a key that can be none stops the door that charges as it stops the workers", async () => {
  const env = (name: string) => name === "KIE_API_KEY" ? "two\nlines" : undefined;
  assertThrows(() => checkSettings(env), ConfigError, "KIE_API_KEY must be letters, digits");
  await assertRejects(() => makersOf(env), ConfigError, "KIE_API_KEY must be letters");
  await assertRejects(() => createProviders(env), ConfigError, "KIE_API_KEY must be letters");
});

Deno.test("every provider has models of its own, and an unknown one has none", async () => {
  for (const [name, load] of Object.entries(known)) {
    const models = await (await load()).models();
    assertEquals(await modelsOf(name), models);
    assertEquals(models.length > 0, true);
    assertEquals(new Set(models.map(({ id }) => id)).size, models.length);
  }
  assertEquals(await modelsOf("nobody"), []);
  assertEquals(await modelsOf("toString", { ...known }), []);
});
