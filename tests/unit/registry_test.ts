import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError } from "../../shared/config.ts";
import * as known from "../../shared/providers/known.ts";
import { createProviders, modelsOf } from "../../shared/providers/registry.ts";

const entries = Object.values(known);

Deno.test("only providers with a key are there, under their own names", () => {
  const env = (name: string) => name === "RUNWARE_API_KEY" ? "rw-key" : undefined;
  const providers = createProviders(env);
  assertEquals([...providers].map(([key, { name }]) => [key, name]), [["runware", "runware"]]);
  assertEquals(providers.get("runware")?.mediaHosts, ["vm.runware.ai", "im.runware.ai"]);
});

Deno.test("with every key every provider is there, and a worker without any does not start", () => {
  const all = createProviders((name) => name.endsWith("_API_KEY") ? "key" : undefined);
  assertEquals([...all.keys()], entries.map(({ name }) => name));
  assertEquals([...all.values()].map(({ name }) => name), [...all.keys()]);
  assertThrows(() => createProviders(() => undefined), ConfigError, "RUNWARE_API_KEY is not set");
});

Deno.test("every provider has models of its own, and an unknown one has none", () => {
  for (const { name, models } of entries) {
    assertEquals(modelsOf(name), models);
    assertEquals(models.length > 0, true);
    assertEquals(new Set(models.map(({ id }) => id)).size, models.length);
  }
  assertEquals(modelsOf("nobody"), []);
});
