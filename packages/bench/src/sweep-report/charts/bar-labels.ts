import type { Dimension } from "../dimensions.js";
import { labelOf, type Point } from "../points.js";
import { textWidth } from "./axes.js";
import { axisFontSize } from "./chart.js";

/** Longer labels go on in the next line. */
const lineCharacters = 38;

/** One label for each point, different from all others, and the room that they take. */
export interface BarLabels {
  readonly labels: string[];
  /** Left of the axis. */
  readonly marginLeft: number;
  /** Of a bar with the gap to its neighbour. */
  readonly barHeight: number;
}

export function barLabels(points: readonly Point[], differing: readonly Dimension[]): BarLabels {
  const labels = points.map(point => wrapped(labelOf(point, differing) || "all rows"));
  const lines = labels.map(label => label.split("\n"));
  const widest = Math.max(0, ...lines.flat().map(line => textWidth(line)));
  const tallest = Math.max(1, ...lines.map(({ length }) => length));
  return {
    labels,
    marginLeft: Math.ceil(widest) + 14,
    barHeight: Math.max(30, tallest * axisFontSize * 1.1 + 8),
  };
}

function wrapped(label: string): string {
  const lines: string[] = [];
  for (const part of label.split(", ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + part.length + 2 <= lineCharacters) {
      lines[lines.length - 1] = `${line}, ${part}`;
    } else lines.push(part);
  }
  return lines.join(",\n");
}
