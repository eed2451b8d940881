/** Runs a story from its first act to its last, and tells it when it ends badly. */
import type { Act, Story } from "./acts.ts";
import { drain } from "./drain.ts";
import { beginPlay, type Play, Stalled } from "./play.ts";
import type { Stage } from "./stage.ts";
import { count } from "./tally.ts";

/** How many acts were played: drawn, and added to bring everything to an end. */
export interface Steps {
  drawn: number;
  added: number;
}

/** A story in which the model and the database disagree. */
export class BadStory extends Error {
  override name = "BadStory";
}

/** Times a story is told anew when the machine was too slow for its clock. */
const TRIES = 3;

/** Plays the story. Throws BadStory, which tells it in numbered sentences. */
export async function playStory(
  stage: Stage,
  { acts, ...setting }: Story,
): Promise<Steps & { play: Play }> {
  for (let attempt = 1;; attempt++) {
    const play = await beginPlay(stage, setting);
    const steps = { drawn: 0, added: 0 };
    let last: Act | undefined;
    try {
      for (const act of acts) {
        if (play.isLate) {
          count(stage.tally, "stories cut short because the machine was slow");
          break;
        }
        last = act;
        if (await play.act(act)) steps.drawn += 1;
      }
      last = undefined;
      steps.added = await drain(play);
      return { ...steps, play };
    } catch (error) {
      if (error instanceof Stalled && attempt < TRIES) {
        count(stage.tally, "stories begun anew because the machine was slow");
        continue;
      }
      throw new BadStory(tell([`The provider ${setting.provider}.`, ...play.lines], error, last), {
        cause: error,
      });
    }
  }
}

function tell(lines: readonly string[], error: unknown, last: Act | undefined): string {
  const story = lines.map((line, index) => `${index + 1}. ${line}`);
  const end = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const where = last === undefined ? "bringing all to an end" : JSON.stringify(last);
  return [...story, `=> during ${where}:`, end].join("\n");
}
