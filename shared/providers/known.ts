/** The providers this build knows: a folder and a line here each. docs/providers.md tells how to add one. */
export { kie } from "./kie/entry.ts";
export { runware } from "./runware/entry.ts";
export { runway } from "./runway/entry.ts";
