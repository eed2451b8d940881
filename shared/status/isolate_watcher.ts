/** The watcher of an isolate: it reads as the service role, and logs in the name of its function. */
import { adminClient } from "../http/admin_client.ts";
import { createLog } from "../log.ts";
import { readChanges } from "./read.ts";
import { createVideoWatcher, type VideoWatcher } from "./watcher.ts";

/** Makes the watcher of a function, which has one per isolate; asks nothing until somebody watches. */
export function isolateWatcher(functionName: string): VideoWatcher {
  return createVideoWatcher({
    read: (known) => readChanges(adminClient(), known),
    log: createLog({ function: functionName }),
  });
}
