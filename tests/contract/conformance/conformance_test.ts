import type { ProviderName } from "../../../shared/providers/registry.ts";
import { registerConformance } from "./run.ts";
import { kie } from "./subjects/kie.ts";
import { runware } from "./subjects/runware.ts";
import { runway } from "./subjects/runway.ts";
import type { Subject } from "./suite.ts";

const subjects: Readonly<Record<ProviderName, Subject>> = { runware, runway, kie };

registerConformance(Object.values(subjects));
