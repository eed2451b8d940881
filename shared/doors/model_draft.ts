/** A video in the caller's own words: who makes it, and what the database is asked for. */
import { z } from "zod";
import { chooseModel } from "../domain/choose_model.ts";
import type { Maker, PriceRow } from "../domain/market.ts";
import type { Wish } from "../domain/prompt_video.ts";
import type { AdminClient } from "../http/admin_client.ts";
import { type FieldProblem, fromRpcError, invalidFields } from "../http/http_error.ts";
import { remember } from "../remember.ts";
import type { DraftRequest } from "./draft_request.ts";
import type { WordsRequest } from "./request_kinds.ts";

/** What this deployment can make. */
export interface ModelMarket {
  readonly makers: readonly Maker[];
}

const priceRows = z.array(
  z.object({
    provider: z.string(),
    model: z.string(),
    resolution: z.string(),
    gems_per_second: z.number(),
    gems_per_second_with_sound: z.number().nullable(),
    available: z.boolean(),
  }).transform(({ gems_per_second, gems_per_second_with_sound, ...row }) => ({
    ...row,
    gemsPerSecond: gems_per_second,
    gemsPerSecondWithSound: gems_per_second_with_sound,
  })),
);

/** Chooses the model. 422 with each field that nobody, or the one named, can do; nothing is charged. */
export async function modelDraft(
  body: WordsRequest,
  admin: AdminClient,
  market: ModelMarket,
): Promise<DraftRequest> {
  const planned = await planModelDraft(body, admin, market);
  if ("problems" in planned) throw invalidFields(422, planned.problems);
  return planned;
}

/**
 * Chooses the model, or tells each field that nobody, or the one named, can do. `usual` is what the door
 * means where its caller cannot ask.
 */
export async function planModelDraft(
  body: WordsRequest,
  admin: AdminClient,
  { makers, usual }: ModelMarket & Pick<Wish, "usual">,
): Promise<DraftRequest | { readonly problems: readonly FieldProblem[] }> {
  const frames = "first_frame" in body
    ? { firstFrame: body.first_frame, lastFrame: body.last_frame }
    : {};
  const { prompt, negative_prompt, style, prompting_strategy, fps, seed, audio } = body;
  const wish = {
    prompt,
    negativePrompt: negative_prompt,
    style,
    strategy: prompting_strategy,
    fps,
    seed,
    audio,
    duration: body.duration,
    aspectRatio: body.aspect_ratio,
    resolution: body.resolution,
    ...frames,
    ...(usual === undefined ? {} : { usual }),
  };
  const prices = await priceList(admin);
  const choice = chooseModel(wish, body, { makers, prices });
  if ("problems" in choice) return choice;

  const { chosen, reason, fallbacks } = choice;
  const { plan } = chosen;
  return {
    expectedSeconds: chosen.spec.renderSeconds,
    request: {
      kind: body.kind,
      child_id: body.child_id,
      title: body.title,
      prompt,
      negative_prompt,
      provider: chosen.provider,
      model: chosen.spec.id,
      model_reason: reason,
      fallbacks: fallbacks.map(({ provider, spec }) => ({
        provider,
        model: spec.id,
      })),
      options: {
        duration: plan.request.durationSeconds,
        aspect_ratio: plan.aspectRatio,
        ...(plan.resolution === "" ? {} : { resolution: plan.resolution }),
        fps,
        seed,
        audio,
        style,
        prompting_strategy,
        first_frame: frames.firstFrame,
        last_frame: frames.lastFrame,
      },
    },
  };
}

/** For the choice, half a minute; what is charged is read anew. */
const remembered = remember<PriceRow[]>(30_000);

function priceList(admin: AdminClient): Promise<PriceRow[]> {
  return remembered("all", () => readPrices(admin));
}

async function readPrices(admin: AdminClient): Promise<PriceRow[]> {
  const { data, error } = await admin.rpc("price_list");
  if (error) throw fromRpcError(error);
  return priceRows.parse(data);
}
