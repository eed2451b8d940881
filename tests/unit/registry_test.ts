import { assertEquals } from "@std/assert";
import { modelsOf } from "../../shared/providers/models.ts";
import { createProviders } from "../../shared/providers/registry.ts";

Deno.test("only providers with settings are there, under their own names", () => {
  assertEquals([...createProviders({}).keys()], []);
  const providers = createProviders({ runware: { apiKey: "rw-key" } });
  assertEquals([...providers].map(([key, { name }]) => [key, name]), [["runware", "runware"]]);
  assertEquals(providers.get("runware")?.mediaHosts, ["vm.runware.ai", "im.runware.ai"]);
});

Deno.test("every provider has models, and an unknown one has none", () => {
  for (const name of createProviders({ runware: { apiKey: "rw-key" } }).keys()) {
    assertEquals(modelsOf(name).length > 0, true);
  }
  assertEquals(modelsOf("nobody"), []);
});
