import { registerConformance } from "./run.ts";
import { kie } from "./subjects/kie.ts";
import { runware } from "./subjects/runware.ts";
import { runway } from "./subjects/runway.ts";

registerConformance([runware, runway, kie]);
