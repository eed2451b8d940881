/** What a benchmark is, and how its figures become rows of the table. */
import { sleep } from "../../shared/sleep.ts";
import type { TestServer } from "../support/server.ts";
import type { BenchDatabase } from "./database.ts";

/** One line of the table. The JSON file holds these as they are. */
export interface Row {
  readonly name: string;
  /** NaN, which is null in JSON, where the benchmark broke. */
  readonly ours: number;
  /** Null where nothing is compared. */
  readonly peer: number | null;
  /** Whose figure `peer` is; empty where nothing is compared. */
  readonly peerName: string;
  readonly unit: string;
  /** ours / peer; null where nothing is compared. */
  readonly ratio: number | null;
  /** In words: "ratio >= 1.2", "<= 250", or "printed". */
  readonly goal: string;
  readonly met: boolean;
  readonly note?: string;
}

/** What a benchmark is given. */
export interface BenchContext {
  /** A Postgres of this run, shared by all benchmarks, and the database that all copies are made from. */
  readonly server: TestServer;
  /** Gives `work` a fresh copy of the product's database, dropped afterwards. */
  withDatabase<T>(work: (database: BenchDatabase) => Promise<T>): Promise<T>;
  /** The full sizes, however long they take, instead of those that fit into eight minutes. */
  readonly full: boolean;
  /** A line for whoever watches; not part of the results. */
  say(text: string): void;
  /** Resolves when no other benchmark runs any more: to be awaited before a clock starts. */
  alone(): Promise<void>;
}

/** A benchmark. It throws where what it measured did not do what it should have done. */
export interface Bench {
  /** As the command line names it. */
  readonly name: string;
  /**
   * How it gets along with others. "alone", the default: it starts when no other runs. "counts": it
   * only counts, and the next one may start meanwhile. "prepares": it has much to write before it
   * measures, may do that while another counts, and awaits `alone` itself.
   */
  readonly company?: "alone" | "counts" | "prepares";
  run(context: BenchContext): Promise<Row[]>;
}

/** What a figure, or its ratio to the peer's, must be. "printed": nothing, it is told only. */
export type Goal =
  | { readonly ratioAtLeast: number }
  | { readonly ratioAtMost: number }
  | { readonly atLeast: number }
  | { readonly atMost: number }
  | "printed";

/** A measurement before it is judged. */
export interface Measured {
  readonly name: string;
  readonly ours: number;
  readonly unit: string;
  readonly goal: Goal;
  readonly peer?: number;
  readonly peerName?: string;
  readonly note?: string;
}

/** The row of a benchmark that did not get as far as to measure. */
export function brokenRow(name: string): Row {
  const goal = "runs to its end";
  return { name, ours: NaN, peer: null, peerName: "", unit: "", ratio: null, goal, met: false };
}

/** Judges a measurement. A figure that is not a number meets no goal. */
export function row({ name, ours, unit, goal, peer, peerName = "", note }: Measured): Row {
  // Two that lose nothing are alike.
  const ratio = peer === undefined ? null : ours === peer ? 1 : ours / peer;
  return {
    name,
    ours,
    peer: peer ?? null,
    peerName,
    unit,
    ratio,
    goal: wordsOf(goal),
    met: isMet(goal, ours, ratio ?? NaN),
    ...(note === undefined ? {} : { note }),
  };
}

function wordsOf(goal: Goal): string {
  if (goal === "printed") return "printed";
  if ("ratioAtLeast" in goal) return `ratio >= ${goal.ratioAtLeast}`;
  if ("ratioAtMost" in goal) return `ratio <= ${Number(goal.ratioAtMost.toPrecision(3))}`;
  if ("atLeast" in goal) return `>= ${goal.atLeast}`;
  return `<= ${goal.atMost}`;
}

function isMet(goal: Goal, ours: number, ratio: number): boolean {
  if (goal === "printed") return Number.isFinite(ours);
  if ("ratioAtLeast" in goal) return ratio >= goal.ratioAtLeast;
  if ("ratioAtMost" in goal) return ratio <= goal.ratioAtMost;
  if ("atLeast" in goal) return ours >= goal.atLeast;
  return ours <= goal.atMost;
}

/**
 * Lets contenders take turns, round after round, each measuring itself once a round, so that whatever
 * else the machine does meets all of them alike. Every second round goes backwards. Answers one figure
 * of each, by default the median. The rounds called warm-up are thrown away.
 */
export async function interleave<Name extends string>(
  contenders: Readonly<Record<Name, () => Promise<number>>>,
  { rounds, warmUp = 1, figure = median }: {
    readonly rounds: number;
    readonly warmUp?: number;
    readonly figure?: (values: readonly number[]) => number;
  },
): Promise<Record<Name, number>> {
  const names = Object.keys(contenders) as Name[];
  const figures = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < warmUp + rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const value = await contenders[name]();
      if (round >= warmUp) figures.get(name)?.push(value);
    }
  }
  const answers = names.map((name) => [name, figure(figures.get(name) ?? [])] as const);
  return Object.fromEntries(answers) as Record<Name, number>;
}

/** The value below which `share` of the values are (nearest rank). Throws for none. */
export function p(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error("A percentile of no values was asked for");
  return value;
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return p(values, 0.5);
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Runs `work` so many times, `inFlight` at once. Answers seconds, and the milliseconds of each. */
export async function flood(
  { times, inFlight }: { readonly times: number; readonly inFlight: number },
  work: (n: number) => Promise<unknown>,
): Promise<{ seconds: number; rate: number; milliseconds: number[] }> {
  const milliseconds: number[] = [];
  let next = 0;
  const begin = performance.now();
  await Promise.all(Array.from({ length: inFlight }, async () => {
    for (let n = next++; n < times; n = next++) {
      const start = performance.now();
      await work(n);
      milliseconds.push(performance.now() - start);
    }
  }));
  const seconds = (performance.now() - begin) / 1_000;
  return { seconds, rate: times / seconds, milliseconds };
}

/** How long anything may take that a benchmark waits for, in seconds. */
const PATIENCE = 150;

/** Looks again and again, until it is so. Throws when that takes too long. */
export async function until(
  what: string,
  look: () => boolean | Promise<boolean>,
  { everyMs = 20 }: { readonly everyMs?: number } = {},
): Promise<void> {
  const end = performance.now() + PATIENCE * 1_000;
  while (!await look()) {
    if (performance.now() > end) throw new Error(`Waited ${PATIENCE} s in vain until ${what}`);
    await sleep(everyMs);
  }
}

/** What `work` comes to. Throws when that takes too long. */
export async function inTime<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const refuse = () => reject(new Error(`Waited ${PATIENCE} s in vain until ${what}`));
    timer = setTimeout(refuse, PATIENCE * 1_000);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Throws with both values where a result is not what the run should have left behind. */
export function expect(what: string, actual: unknown, wanted: unknown): void {
  if (JSON.stringify(actual) === JSON.stringify(wanted)) return;
  throw new Error(
    `${what}: ${JSON.stringify(actual)} was found, ${JSON.stringify(wanted)} expected`,
  );
}
