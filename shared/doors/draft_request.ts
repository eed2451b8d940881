/** A video that is not ordered yet, in the words of the database. */
import type { Json } from "../db/database.types.ts";

/** What the database is given, in an order of queue_videos or to quote_video. */
export interface DraftRequest {
  readonly request: {
    readonly [field: string]: Json | undefined;
    readonly options: { readonly [option: string]: Json | undefined };
  };
  /** Seconds it usually takes, where its model has not been measured yet. */
  readonly expectedSeconds: number;
}
