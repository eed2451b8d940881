/** The judges of a deployment. */
import type { Moderator } from "./moderator.ts";
import type { ModerationService } from "./service.ts";

/**
 * The word list, and a service after it where one is set up. Both are imported when somebody is judged:
 * most orders are rhymes, which nobody judges.
 */
export function moderatorFor(service: ModerationService | undefined): Moderator {
  return {
    async judge(judged) {
      const { wordList } = await import("./word_list.ts");
      const verdict = await wordList.judge(judged);
      if (verdict !== null || service === undefined) return verdict;
      const { moderationService } = await import("./service.ts");
      return await moderationService(service).judge(judged);
    },
  };
}
