/** Writes down what webhooks bring. In a burst those that come in while others are written share a call. */
import { z } from "zod";
import type { Json } from "../db/database.types.ts";
import type { AdminClient } from "../http/admin_client.ts";
import { fromRpcError, wasUndone } from "../http/http_error.ts";
import { batched } from "../batched.ts";

/** A webhook whose caller was checked, in the words of record_provider_events. */
export type ProviderEvent = {
  readonly video_job_id: string;
  /** Tells repetitions of the same webhook. */
  readonly hash: string;
  readonly payload: NonNullable<Json>;
  /** The task that it names, where the ids are the provider's. */
  readonly task_id?: string;
  readonly task_state?: string;
};

/** What became of it. */
export interface RecordedEvent {
  /** False: an attempt that we do not have. */
  readonly known: boolean;
  /** False: we had it already, or more than a real provider says. */
  readonly recorded: boolean;
}

/** Keeps an event and makes its attempt due. Rejects with an HttpError. */
export type RecordEvent = (event: ProviderEvent) => Promise<RecordedEvent>;

const answered = z.object({
  events: z.array(z.object({ known: z.boolean(), recorded: z.boolean() })),
});

/** The recorder of an isolate, for events of one provider. */
export function eventRecorder(
  provider: string,
  admin: () => Pick<AdminClient, "rpc">,
): RecordEvent {
  return batched<ProviderEvent, RecordedEvent>({
    most: 50,
    // One slow call does not hold up all that come in after it.
    callsAtOnce: 2,
    mayBeOneItemsFault: wasUndone,
    async call(events) {
      const { data, error } = await admin().rpc("record_provider_events", {
        p_provider: provider,
        p_events: [...events],
      });
      if (error) throw fromRpcError(error);
      return answered.parse(data).events;
    },
  });
}
