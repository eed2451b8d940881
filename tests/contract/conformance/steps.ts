/** Steps that many cases take. */
import { assert, assertEquals } from "@std/assert";
import type { SubmitOutcome, TaskState } from "../../../shared/providers/provider.ts";
import type { Bench } from "./suite.ts";

/** Hands one task over, which must be taken. Answers the provider's id of it. */
export async function accepted(bench: Bench, task = bench.task()): Promise<string> {
  const [outcome] = await bench.provider.submit([task]);
  if (outcome?.outcome === "accepted") return outcome.providerTaskId;
  throw new Error(`The task was to be accepted, not ${wordOf(outcome)}`);
}

/** Asks about one task. */
export async function asked(bench: Bench, taskId: string): Promise<TaskState> {
  const states = await bench.provider.poll([taskId]);
  assertEquals(states.map(({ id }) => id), [taskId]);
  const [state] = states;
  if (state === undefined) throw new Error("No state came back");
  return state;
}

/** The state as a success, which it must be. */
export function succeeded(
  state: TaskState | undefined,
): Extract<TaskState, { state: "succeeded" }> {
  if (state?.state === "succeeded") return state;
  throw new Error(`The task was to succeed, and is ${wordOf(state)}`);
}

/** Outcome or state, with the kind of its error where it has one. */
export function wordOf(one: SubmitOutcome | TaskState | undefined): string {
  if (one === undefined) return "nothing";
  const word = "outcome" in one ? one.outcome : one.state;
  return "error" in one ? `${word} ${one.error.kind}` : word;
}

/** Fetches a result as the store stage may: from the provider's media hosts only. */
export async function download(bench: Bench, url: string): Promise<Response> {
  const { host } = new URL(url);
  assert(bench.provider.mediaHosts.includes(host), `"${host}" is not among the media hosts`);
  return await fetch(url, { redirect: "manual" });
}

/** Whether these bytes begin as an MP4 does (ISO 14496-12: the first box is "ftyp"). */
export function isMp4(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(4, 8)) === "ftyp";
}
