import colors from "picocolors";
import { formatNumber } from "../table.js";

const blocks = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;
/** Pieces of time in one line. */
const columns = 10;
/** A chart has at most so many lines; longer runs put more time into each block. */
const linesMax = 90;

export interface Mark {
  readonly atMs: number;
  readonly what: string;
}

/**
 * Throughput over time, for a terminal: ten blocks a line, each as high as its part of the highest; then the commits
 * per second of the line, and the faults that struck in it.
 *
 * @param commits in pieces of `bucketMs`
 */
export function throughputChart(
  commits: readonly number[],
  bucketMs: number,
  marks: readonly Mark[],
): string {
  const merged = Math.max(1, Math.ceil(commits.length / columns / linesMax));
  const blockMs = bucketMs * merged;
  const rates: number[] = [];
  for (let from = 0; from < commits.length; from += merged) {
    const piece = commits.slice(from, from + merged);
    rates.push((piece.reduce((sum, count) => sum + count, 0) / piece.length) * (1000 / bucketMs));
  }
  const highest = Math.max(1, ...rates);
  const lines = [`commits/s, a block per ${blockMs} ms, the highest is ${formatNumber(highest)}`];
  for (let from = 0; from < rates.length; from += columns) {
    const line = rates.slice(from, from + columns);
    const [fromMs, untilMs] = [from * blockMs, (from + columns) * blockMs];
    const struck = marks.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs);
    lines.push(
      [
        `${(fromMs / 1000).toFixed(0).padStart(5)} s `,
        line
          .map(rate => blockOf(rate / highest))
          .join("")
          .padEnd(columns),
        formatNumber(line.reduce((sum, rate) => sum + rate, 0) / line.length).padStart(10),
        ...(struck.length === 0 ? [] : [`  ${struck.map(describeMark).join(", ")}`]),
      ].join(""),
    );
  }
  return lines.join("\n");
}

function describeMark({ atMs, what }: Mark): string {
  return `${(atMs / 1000).toFixed(1)} ${colors.yellow(what)}`;
}

/** Nothing at all is a blank: a gap must not look like little. */
function blockOf(part: number): string {
  if (part === 0) return " ";
  return blocks[Math.min(blocks.length - 1, Math.floor(part * blocks.length))]!;
}
