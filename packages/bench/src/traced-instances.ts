import { countFrames, type MessageCounts } from "./message-groups.js";
import type { ChartPart } from "./sequence-chart.js";

/** A part of a traced run, with what the learners' counters say of its instances. */
export interface TracedPart extends ChartPart {
  readonly protocol: "basic-paxos" | "multi-paxos";
  /** Message delays up to the quorum of the learner that answers, and of the one that knows last; null of phase 1. */
  readonly messageDelays: number | null;
  readonly messageDelaysAllLearners: number | null;
}

const heads = [
  "instances",
  "delays",
  "all learners",
  "messages",
  "per instance",
  "request",
  "forwarding",
  "response",
];

/** The delays and messages of each part, a row for each. */
export function renderCounts(parts: readonly TracedPart[]): string {
  const rows = [heads, ...parts.map(part => cellsOf(part, countFrames(part.frames)))];
  const widths = heads.map((_, column) => Math.max(...rows.map(row => row[column]!.length)));
  const lines = rows.map(row =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
  const again = parts.reduce((sum, { frames }) => sum + countFrames(frames).again, 0);
  if (again > 0) lines.push(`${again} frames were sent again; they are drawn, but not counted.`);
  return lines.join("\n");
}

function cellsOf(part: TracedPart, counts: MessageCounts): string[] {
  const { protocol, firstInstance, count, messageDelays, messageDelaysAllLearners } = part;
  const name = protocol === "basic-paxos" ? "Basic Paxos" : "Multi-Paxos";
  if (messageDelays === null) {
    return [`${name}, phase 1`, "", "", String(counts.consensus), "", "", "", ""];
  }
  const instances = count === 1 ? String(firstInstance) : `${firstInstance}..${firstInstance + count - 1}`;
  const figures = [
    messageDelays,
    messageDelaysAllLearners ?? "",
    counts.consensus,
    Number((counts.consensus / count).toFixed(2)),
    counts.request,
    counts.forwarding,
    counts.response,
  ];
  return [`${name}, ${instances}`, ...figures.map(String)];
}
