/**
 * The forms in which KIE answers and calls back. Nothing here throws and nothing is trusted: a field of
 * an unexpected type counts as absent. Forms: docs.kie.ai/market/common/get-task-detail, the callback
 * pages, and what public clients met.
 */
import { z } from "zod";
import { parseJson } from "../answer_text.ts";
import { amount, link, text } from "../lenient.ts";

/** `{code, msg, data}`, the form of every answer and callback. */
export interface Envelope {
  readonly code: number;
  readonly message: string;
  readonly data: unknown;
}

/** Where a task stands, as its record or a callback tells it. */
export interface TaskRecord {
  readonly taskId: string | undefined;
  readonly stage: "running" | "success" | "fail" | undefined;
  readonly videoUrl: string | undefined;
  readonly failCode: string;
  readonly failMessage: string;
  readonly credits: number | undefined;
  /** 1 to 100; KIE was never seen to fill it in. */
  readonly progress: number | undefined;
}

const codeText = z.union([z.string().min(1), z.number().transform(String)]).optional()
  .catch(undefined);

/** KIE's are shorter than this; what is not, or is empty, could not be looked up. */
const idText = z.union([z.string().min(1).max(200), z.int().positive().transform(String)])
  .optional().catch(undefined);

const envelopeSchema = z.object({
  code: z.union([z.number().int(), z.string().regex(/^\d{3}$/).transform(Number)]),
  msg: text,
  // Some pages call it so.
  message: text,
  data: z.unknown().optional(),
});

const recordSchema = z.object({
  taskId: idText,
  task_id: idText,
  state: text,
  successFlag: z.number().optional().catch(undefined),
  resultJson: z.unknown().optional(),
  response: z.unknown().optional(),
  info: z.unknown().optional(),
  failCode: codeText,
  failMsg: text,
  errorCode: codeText,
  errorMessage: text,
  // The record names it one way and the callback the other.
  creditsConsumed: amount,
  consumeCredits: amount,
  progress: amount,
});

/** Where results are told: two names, both sometimes a level deeper. Never `originUrls`, the lesser copy. */
const resultSchema = z.object({
  resultUrls: z.unknown().optional(),
  result_urls: z.unknown().optional(),
  data: z.unknown().optional(),
});

/** Reads an answer, or tells that it is none by undefined. */
export function readEnvelope(body: unknown): Envelope | undefined {
  const { data: read } = envelopeSchema.safeParse(body);
  return read && { code: read.code, message: read.msg ?? read.message ?? "", data: read.data };
}

/** Reads a task's record; undefined where there is none. */
export function readRecord(data: unknown): TaskRecord | undefined {
  const { data: read } = recordSchema.safeParse(data);
  if (read === undefined) return undefined;
  const places = [read.response, read.resultJson, read.info, data];
  return {
    taskId: read.taskId ?? read.task_id,
    stage: stageOf(read.state, read.successFlag),
    videoUrl: videoAmong(places.flatMap(linksOf)),
    failCode: read.failCode ?? read.errorCode ?? "",
    failMessage: read.failMsg ?? read.errorMessage ?? "",
    credits: read.creditsConsumed ?? read.consumeCredits,
    progress: read.progress,
  };
}

/**
 * The ends of a task, in lower case. KIE documents `success` and `fail` only; but an end that is not
 * understood runs until the deadline and is bought again.
 */
const ends = new Map<string, TaskRecord["stage"]>([
  ["success", "success"],
  ["succeeded", "success"],
  ["completed", "success"],
  ["fail", "fail"],
  ["failed", "fail"],
]);

/** The flag is 0 while it runs, 1 when it is done, 2 or 3 when it failed. An unknown state is running. */
function stageOf(state: string | undefined, flag: number | undefined): TaskRecord["stage"] {
  if (state !== undefined) return ends.get(state.toLowerCase()) ?? "running";
  if (flag === undefined) return undefined;
  if (flag === 0) return "running";
  return flag === 1 ? "success" : "fail";
}

/** The links of a place that is an object, or JSON of one in a string (`resultJson` always is). */
function linksOf(place: unknown): string[] {
  const outer = resultSchema.safeParse(parsed(place)).data;
  const inner = resultSchema.safeParse(parsed(outer?.data)).data;
  return [outer, inner]
    .flatMap((found) => [found?.resultUrls, found?.result_urls])
    .flatMap(parsed)
    .flatMap((url) => link.safeParse(url).data ?? []);
}

/** A cover may stand beside the video, even before it. Where no name tells which is which: the first. */
function videoAmong(links: readonly string[]): string | undefined {
  return links.find((url) => /\.mp4$/i.test(new URL(url).pathname)) ?? links[0];
}

/** What JSON in a string says; anything else as it is. */
function parsed(value: unknown): unknown {
  return typeof value === "string" ? parseJson(value) ?? value : value;
}
