/** Every benchmark, in the order in which they run. */
import type { Bench } from "./bench.ts";
import { cold } from "./http/cold.ts";
import { flow } from "./http/flow.ts";
import { latency } from "./http/latency.ts";
import { lifecycle } from "./http/lifecycle.ts";
import { memory } from "./http/memory.ts";
import { minutes } from "./http/minutes.ts";
import { queueHttp } from "./http/queueing.ts";
import { status } from "./http/status.ts";
import { fair } from "./sql/fair.ts";
import { finish } from "./sql/finish.ts";
import { queueSql } from "./sql/queue_sql.ts";
import { sizes } from "./sql/size.ts";
import { snapshot } from "./sql/snapshot.ts";
import { workers } from "./sql/workers.ts";

export const BENCHES: readonly Bench[] = [
  queueSql,
  finish,
  workers,
  fair,
  snapshot,
  minutes,
  sizes,
  queueHttp,
  flow,
  lifecycle,
  latency,
  status,
  memory,
  cold,
];
