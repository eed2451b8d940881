/**
 * The providers this build knows, under the names of their rows in app.providers: a folder and a line
 * here each. docs/providers.md tells how to add one.
 */
import type { LoadProvider } from "./registry.ts";

export const kie: LoadProvider = async () => (await import("./kie/entry.ts")).kie;
export const runware: LoadProvider = async () => (await import("./runware/entry.ts")).runware;
export const runway: LoadProvider = async () => (await import("./runway/entry.ts")).runway;
