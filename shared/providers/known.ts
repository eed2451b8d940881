/**
 * The providers this build knows, under the names of their rows in app.providers: a folder and a line
 * here each. docs/providers.md tells how to add one.
 */
import type { LoadProvider } from "./registry.ts";

/** KIE_API_KEY switches it on. */
export const kie: LoadProvider = async () => (await import("./kie/entry.ts")).kie;
/** RUNWARE_API_KEY switches it on. */
export const runware: LoadProvider = async () => (await import("./runware/entry.ts")).runware;
/** RUNWAY_API_KEY switches it on. */
export const runway: LoadProvider = async () => (await import("./runway/entry.ts")).runway;
