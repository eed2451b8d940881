/** What a run over all crash points prints. */

/** A point that was tried. */
export interface Trial {
  readonly scenario: string;
  readonly stage: string;
  /** Crossings that this one death stands for. */
  readonly crossings: number;
  readonly at: string;
  readonly faults: readonly string[];
}

/** A table of stages: crossings found, moments a worker died at, deaths survived. */
export function tableOf(trials: readonly Trial[]): string {
  const groups: [string, readonly Trial[]][] = [
    ...Map.groupBy(trials, ({ scenario, stage }) => `${scenario}, ${stage}`),
    ["all", trials],
  ];
  const rows = groups.map(([name, group]) => [
    name,
    String(pointsIn(group)),
    String(group.length),
    String(group.filter(({ faults }) => faults.length === 0).length),
  ]);
  return [["scenario, stage", "crash points", "deaths", "survived"], ...rows]
    .map(([name = "", ...numbers]) => name.padEnd(20) + numbers.map((n) => n.padStart(14)).join(""))
    .join("\n");
}

/** The points that were not survived, one line each, with how to try it again. */
export function complaintsOf(trials: readonly Trial[]): string[] {
  return trials.filter(({ faults }) => faults.length > 0).map(({ scenario, at, faults }) =>
    `${faults.join("; ")}. Again: CHAOS_CRASH_AT="${scenario}/${at}"`
  );
}

/** Each point once, however often it was tried. */
function pointsIn(trials: readonly Trial[]): number {
  const counts = new Map(trials.map(({ scenario, at, crossings }) => [scenario + at, crossings]));
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
