import * as Plot from "@observablehq/plot";
import { type FileComparison, type Pair, verdictOf } from "../compare.js";
import { textOf } from "../dimensions.js";
import { type Html, html } from "../html.js";
import { reportLimits } from "../limits.js";
import { type LabelledFile, labelOf, varying } from "../points.js";
import { logTicks } from "./axes.js";
import { barLabels } from "./bar-labels.js";
import { type Chart, draw, type Section, wideChartWidth } from "./chart.js";

const verdictWidth = 178;
/** An interval without end is drawn to the edge, and the edge is not farther than this. */
const ratioMax = 100;

/** Two files beside each other, setting by setting. */
export function comparisonSection(
  comparison: FileComparison,
  [first, second]: readonly [LabelledFile, LabelledFile],
): Section {
  const { pairs, caveats, onlyFirst, onlySecond } = comparison;
  const drawn = mostDifferent(pairs);
  const unpaired = [
    onlyFirst > 0 ? `${onlyFirst} settings are only in ${first.label}.` : "",
    onlySecond > 0 ? `${onlySecond} settings are only in ${second.label}.` : "",
  ].filter(text => text !== "");
  return {
    id: "comparison",
    title: `${second.label} compared with ${first.label}`,
    explanation: `Rows with the same settings, ${second.label} in relation to ${first.label}, with the 95% confidence interval of the ratio (Welch's t-test of logarithms over the repeats). Where the interval has 1 in it, the repeats show no difference, whatever the medians say.`,
    charts:
      pairs.length === 0
        ? []
        : [
            ratioChart(drawn, "commitsPerSecond", "Commits per second, ratio; more is faster"),
            ratioChart(drawn, "p99", "p99 latency, ratio; less is faster"),
          ],
    notes: [
      ...(pairs.length === 0
        ? ["Nothing to compare: the two files have no settings in common."]
        : [summaryOf(pairs)]),
      ...leftOutPairs(drawn.length, pairs.length),
      ...unpaired,
      ...caveats,
    ],
    ...(pairs.length === 0 ? {} : { table: pairsTable(pairs, first.label, second.label) }),
  };
}

/** Every pair, drawn or not. */
function pairsTable(pairs: readonly Pair[], first: string, second: string): Html {
  const differing = varying(pairs.map(pair => pair.first));
  const heads = ["settings", `commits/s, ${first}`, `commits/s, ${second}`, "rows", "commits/s", "p99"];
  const lines = pairs.map(pair => {
    const cells = [
      ...[pair.first, pair.second].map(({ commitsPerSecond }) => textOf(Math.round(commitsPerSecond))),
      `${pair.first.rows.length}, ${pair.second.rows.length}`,
      verdictOf(pair.commitsPerSecond),
      verdictOf(pair.p99),
    ];
    return html`<tr><th scope="row">${labelOf(pair.first, differing)}</th>${cells.map(cell => html`<td>${cell}</td>`)}</tr>
`;
  });
  return html`<details><summary>All ${pairs.length} comparisons as a table</summary><div class="scroll"><table class="rows"><thead><tr>${heads.map(head => html`<th scope="col">${head}</th>`)}</tr></thead><tbody>${lines}</tbody></table></div></details>`;
}

function ratioChart(pairs: readonly Pair[], what: "commitsPerSecond" | "p99", title: string): Chart {
  const points = pairs.map(({ first }) => first);
  const { labels, marginLeft, barHeight } = barLabels(points, varying(points));
  const marks = pairs.map((pair, index) => ({
    y: labels[index]!,
    ...pair[what],
    verdict: verdictOf(pair[what]),
  }));
  const finite = marks
    .flatMap(({ ratio, low, high, count }) => (count < 2 ? [ratio] : [low, ratio, high]))
    .filter(value => value >= 1 / ratioMax && value <= ratioMax);
  const [low, high] = [Math.min(0.9, ...finite) * 0.97, Math.max(1.1, ...finite) * 1.03];
  const clamped = (value: number) => Math.min(high, Math.max(low, value));
  const colorOf = ({ differs, count }: { differs: boolean; count: number }) =>
    differs && count >= 2 ? "var(--series-0)" : "var(--dim)";
  const ticks = ratioTicks(low, high);
  return {
    title,
    isWide: true,
    drawing: draw({
      title,
      width: wideChartWidth,
      height: 36 + barHeight * marks.length,
      marginTop: 8,
      marginBottom: 28,
      marginLeft,
      marginRight: verdictWidth,
      x: { type: "log", domain: [low, high], label: null },
      y: { type: "band", domain: labels, label: null, padding: 0.2 },
      marks: [
        Plot.gridX(ticks),
        Plot.axisX(ticks, { text: (tick: number) => `${tick} x` }),
        Plot.axisY({ tickSize: 0 }),
        Plot.ruleX([1], { stroke: "var(--ink)", strokeDasharray: "4 3" }),
        Plot.ruleY(
          marks.filter(({ count }) => count >= 2),
          {
            ...{ y: "y", x1: ({ low }) => clamped(low), x2: ({ high }) => clamped(high) },
            ...{ stroke: colorOf, strokeWidth: 2.5, className: "intervals" },
          },
        ),
        Plot.dot(marks, {
          x: ({ ratio }) => clamped(ratio),
          y: "y",
          fill: colorOf,
          r: 4.5,
          className: "ratios",
        }),
        Plot.text(marks, {
          ...{
            frameAnchor: "right",
            y: "y",
            text: "verdict",
            textAnchor: "start",
            dx: 10,
            className: "verdicts",
          },
        }),
      ],
    }),
  };
}

function summaryOf(pairs: readonly Pair[]): string {
  const of = (test: (pair: Pair) => boolean) => pairs.filter(test).length;
  const isKnown = ({ commitsPerSecond: { count } }: Pair) => count >= 2;
  const faster = of(pair => isKnown(pair) && pair.commitsPerSecond.low > 1);
  const slower = of(pair => isKnown(pair) && pair.commitsPerSecond.high < 1);
  const unknown = of(pair => !isKnown(pair));
  const same = pairs.length - faster - slower - unknown;
  const parts = [`${faster} faster`, `${slower} slower`, `${same} no difference`];
  if (unknown > 0) parts.push(`${unknown} not known, measured once in one of the files`);
  return `Commits per second in ${pairs.length} settings: ${parts.join(", ")}.`;
}

/** What differs comes before what does not; both in the order of their settings. */
function mostDifferent(pairs: readonly Pair[]): Pair[] {
  const order = [...pairs].sort((a, b) => weight(b) - weight(a)).slice(0, reportLimits.bars);
  return pairs.filter(pair => order.includes(pair));
}

function weight({ commitsPerSecond: { differs, ratio, count } }: Pair): number {
  return (differs && count >= 2 ? 1000 : 0) + Math.abs(Math.log(Math.max(ratio, 1e-9)));
}

function leftOutPairs(drawn: number, all: number): string[] {
  return drawn === all ? [] : [`${drawn} of ${all} settings are drawn, those that differ most.`];
}

function ratioTicks(low: number, high: number): number[] {
  if (high / low > 4) return logTicks(low, high).filter(tick => tick >= low && tick <= high);
  const step = high / low > 2 ? 0.25 : high / low > 1.4 ? 0.1 : 0.05;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) =>
    Number(((first + index) * step).toFixed(2)),
  );
}
