import type { TaskState } from "../../shared/providers/provider.ts";

/** A task's state in one line, with all that an adapter may have read wrong. */
export function toldState(state: TaskState): string {
  switch (state.state) {
    case "processing":
      return `${state.id} processing`;
    case "succeeded":
      return `${state.id} succeeded ${state.videoUrl} ${state.costUsd}`;
    default:
      return `${state.id} ${state.state} ${state.error.kind} ${state.error.code}`;
  }
}
