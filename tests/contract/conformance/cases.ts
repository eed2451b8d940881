/** Every case of the suite, in the order of a task's life. */
import { callbackCases } from "./cases_callbacks.ts";
import { renderCases } from "./cases_render.ts";
import { submitCases } from "./cases_submit.ts";
import type { Case } from "./suite.ts";

/** What every provider behind the port must show. */
export const cases: readonly Case[] = [...submitCases, ...renderCases, ...callbackCases];
