/** What a caller is told whose provider or model is not to be had here. */
import { isOurs, type Maker, type Named, type PriceRow } from "./market.ts";
import type { OptionProblem } from "./model_limits.ts";
import type { ModelSpec } from "./models.ts";

/** No provider is called so, or it is switched off. */
export function unknownProvider(
  name: string | undefined,
  makers: readonly Maker[],
): OptionProblem {
  return {
    field: "provider",
    message: `"${name}" is not a provider that is switched on here`,
    allowed: ["auto", ...makers.map((maker) => maker.name)],
  };
}

/** None of these has a model that is called so. */
export function unknownModel(name: string | undefined, makers: readonly Maker[]): OptionProblem {
  const models = makers.flatMap(({ models }) => models).filter((model) => model.retired !== true);
  return {
    field: "model",
    message: `"${name}" is not a model of ${makers.map((maker) => maker.name).join(" or ")}`,
    allowed: ["auto", ...models.map((model) => model.id)],
  };
}

/** The model has prices, but none for this quality. */
export function notSoldAt(
  { name }: ModelSpec,
  resolution: string,
  rows: readonly PriceRow[],
): OptionProblem {
  return {
    field: "resolution",
    message: `${name} is not sold at "${resolution}"`,
    allowed: rows.map((row) => row.resolution),
  };
}

/** The model has a price, but none with sound. */
export function notSoldWithSound({ name }: ModelSpec): OptionProblem {
  return { field: "audio", message: `${name} is not sold with sound`, allowed: [false] };
}

/** What could make it has no price. */
export function notForSale({ provider, model }: Named): OptionProblem {
  if (!isOurs(model)) {
    return { field: "model", message: `"${model}" is not sold for this`, allowed: ["auto"] };
  }
  if (isOurs(provider)) return { field: "model", message: "No model that can make this is sold" };
  const message = `No model of ${provider} that can make this is sold`;
  return { field: "provider", message, allowed: ["auto"] };
}
