import { CLIPS_AND_MARGINS } from "./clips.ts";
import { DOOR_GUARDS } from "./doors.ts";
import { FORGETTING } from "./forget.ts";
import { MONEY } from "./money.ts";
import type { Mutation } from "./mutation.ts";
import { NOTIFYING } from "./notify.ts";
import { STATES } from "./states.ts";
import { WORK } from "./work.ts";

/** Every guard that is taken out, one at a time. */
export const MUTATIONS: readonly Mutation[] = [
  ...MONEY,
  ...STATES,
  ...WORK,
  ...NOTIFYING,
  ...DOOR_GUARDS,
  ...FORGETTING,
  ...CLIPS_AND_MARGINS,
];
