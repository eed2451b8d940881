/** The sandboxes of a stack, by provider. */
import type { ProviderChoices } from "../../../local/sandboxes.ts";
import { kieShop } from "./kie.ts";
import { runwareShop } from "./runware.ts";
import { runwayShop } from "./runway.ts";
import type { Shop, ShopName } from "./shop.ts";

/** Throws where a real provider is used. */
export function shopsOf({ runware, runway, kie }: ProviderChoices): Record<ShopName, Shop> {
  if (runware.sandbox === null || runway.sandbox === null || kie.sandbox === null) {
    throw new Error("Every provider must be a sandbox");
  }
  return {
    runware: runwareShop(runware.sandbox),
    runway: runwayShop(runway.sandbox),
    kie: kieShop(kie.sandbox),
  };
}
