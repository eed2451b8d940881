/** The judges of a deployment. */
import type { ModerationConfig } from "../config.ts";
import { inTurn, type Moderator } from "./moderator.ts";
import { moderationService } from "./service.ts";
import { wordList } from "./word_list.ts";

/** The word list, and a service after it where one is set up. */
export function moderatorFor(service: ModerationConfig | undefined): Moderator {
  return service === undefined ? wordList : inTurn(wordList, moderationService(service));
}
