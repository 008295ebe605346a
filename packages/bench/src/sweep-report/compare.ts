import { keyOf } from "../results/format.js";
import { type RatioEstimate, ratioOfSamples } from "../results/statistics.js";
import type { LabelledFile, Point } from "./points.js";

/** The same settings in two files. Ratios are of the second to the first. */
export interface Pair {
  readonly first: Point;
  readonly second: Point;
  readonly commitsPerSecond: RatioEstimate;
  readonly p99: RatioEstimate;
}

export interface FileComparison {
  readonly pairs: readonly Pair[];
  /** Settings that only one of the files has. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** What else differs between the files, in sentences. */
  readonly caveats: readonly string[];
}

export function compareFiles(
  first: LabelledFile,
  second: LabelledFile,
  points: readonly Point[],
): FileComparison {
  const [ofFirst, ofSecond] = [first, second].map(
    ({ label }) =>
      new Map(points.filter(({ file }) => file === label).map(point => [keyOf(point.settings), point])),
  );
  const pairs: Pair[] = [];
  for (const [key, point] of ofFirst!) {
    const other = ofSecond!.get(key);
    if (other !== undefined) pairs.push(pairOf(point, other));
  }
  return {
    pairs,
    onlyFirst: ofFirst!.size - pairs.length,
    onlySecond: ofSecond!.size - pairs.length,
    caveats: caveatsOf(first, second, pairs),
  };
}

function pairOf(first: Point, second: Point): Pair {
  const ratioOf = (read: (row: Point["rows"][number]) => number) =>
    ratioOfSamples(second.rows.map(read), first.rows.map(read));
  return {
    first,
    second,
    commitsPerSecond: ratioOf(row => row.commitsPerSecond),
    p99: ratioOf(row => row.latencyUs.p99),
  };
}

/** `1.24 x (1.181 to 1.306)`, or that there is no difference, or that nobody can tell. */
export function verdictOf({ ratio, low, high, differs, count }: RatioEstimate): string {
  if (count < 2) return "not known: measured once";
  if (!differs) return "no difference";
  return `${ratio.toFixed(2)} x (${low.toFixed(3)} to ${high.toFixed(3)})`;
}

/** Whoever reads a difference must know what else was different. */
function caveatsOf(first: LabelledFile, second: LabelledFile, pairs: readonly Pair[]): string[] {
  const caveats: string[] = [
    "The two files were measured one after the other, not in turns: a machine that was busier during one of them makes a difference too.",
  ];
  const runs = [first.results.runs[0], second.results.runs[0]] as const;
  const facts = [
    ["The processor", runs.map(run => `${run?.host.cpuModel}, ${run?.host.cores} cores`)],
    ["The limit of the container", runs.map(run => `${run?.host.containerCpus ?? "none"}`)],
    ["Node.js", runs.map(run => run?.versions.node)],
    ["Synod", runs.map(run => run?.versions.synod)],
    ["The commit", runs.map(run => run?.versions.git ?? "unknown")],
  ] as const;
  for (const [what, [a, b]] of facts) {
    if (a !== b) caveats.push(`${what} differs: ${a} in ${first.label}, ${b} in ${second.label}.`);
  }
  const tested = pairs.filter(({ commitsPerSecond }) => commitsPerSecond.count >= 2).length;
  if (tested >= 10) {
    const byChance = Math.round(tested / 20);
    caveats.push(
      `Of ${tested} comparisons at 95% about ${Math.max(1, byChance)} would show a difference by chance alone.`,
    );
  }
  return caveats;
}
