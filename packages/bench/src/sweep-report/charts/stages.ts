import * as Plot from "@observablehq/plot";
import { reportLimits } from "../limits.js";
import { highlights, medianOf, type Point, varying } from "../points.js";
import { milliseconds } from "./axes.js";
import { barLabels } from "./bar-labels.js";
import { draw, highlightsNote, type Section, swatchLegend, wideChartWidth } from "./chart.js";

/** In the order in which a command passes them. */
const stages = [
  { key: "clientQueue", name: "client queue" },
  { key: "proposer", name: "proposer" },
  { key: "acceptors", name: "acceptors" },
  { key: "learner", name: "learner" },
  { key: "reply", name: "reply" },
] as const;
const stageColors = stages.map((_, index) => `var(--series-${index})`);
/** Parts of a bar in which a number has room. */
const numberFrom = 0.07;

/** Where a command's time goes. */
export function stagesSection(points: readonly Point[]): Section {
  const measured = points.filter(({ rows }) => rows.some(row => row.stagesUs !== null));
  const chosen = highlights(measured, reportLimits.bars);
  const base = {
    id: "stages",
    title: "Where time goes",
    explanation:
      "Medians of each stage's time, as parts of their sum, which stands on the right. The median of the whole is not the sum of the medians: compare the parts, not the sum.",
  };
  if (chosen.length === 0) {
    return {
      ...base,
      charts: [],
      notes: ["Not measured: these files hold no times of stages, which synod-bench sweep --stages has."],
    };
  }
  const { labels, marginLeft, barHeight } = barLabels(chosen, varying(chosen));
  const bars = chosen.map((point, index) => {
    const rows = point.rows.filter(row => row.stagesUs !== null);
    const timesUs = stages.map(({ key }) => medianOf(rows, row => row.stagesUs?.[key] ?? 0));
    return { y: labels[index]!, timesUs, sumUs: timesUs.reduce((sum, time) => sum + time, 0) };
  });
  const parts = bars.flatMap(({ y, timesUs, sumUs }) => {
    let x1 = 0;
    return stages.map(({ name }, index) => {
      const share = sumUs === 0 ? 0 : timesUs[index]! / sumUs;
      const part = { y, name, x1, x2: x1 + share, share, timeUs: timesUs[index]! };
      x1 = part.x2;
      return { ...part, title: `${name}: ${milliseconds(part.timeUs / 1000)} ms, ${percent(share)}` };
    });
  });
  const drawing = draw({
    title: "Where a command's time goes, by stage",
    width: wideChartWidth,
    height: 50 + barHeight * bars.length,
    marginTop: 8,
    marginLeft,
    marginRight: 84,
    x: { domain: [0, 1], label: "part of the sum" },
    y: { type: "band", domain: labels, label: null, padding: 0.2 },
    color: { type: "ordinal", domain: stages.map(({ name }) => name), range: stageColors },
    marks: [
      Plot.axisX({ ticks: 5, tickFormat: percent }),
      Plot.axisY({ tickSize: 0 }),
      Plot.barX(parts, {
        ...{ x1: "x1", x2: "x2", y: "y", fill: "name", title: "title" },
        ...{ stroke: "var(--paper)", strokeWidth: 1, className: "stages" },
      }),
      Plot.text(
        parts.filter(({ share }) => share >= numberFrom),
        {
          ...{ x: ({ x1, x2 }) => (x1 + x2) / 2, y: "y", text: ({ share }) => percent(share) },
          ...{ fill: "var(--on-series)", pointerEvents: "none", className: "shares" },
        },
      ),
      Plot.text(bars, {
        ...{ x: 1, y: "y", dx: 8, textAnchor: "start", className: "sums" },
        text: ({ sumUs }) => `${milliseconds(sumUs / 1000)} ms`,
      }),
    ],
  });
  const legend = swatchLegend(
    stages.map(({ name }) => name),
    stageColors,
  );
  return {
    ...base,
    charts: [{ title: "Parts of a command's time", drawing, legend, isWide: true }],
    notes: [
      ...highlightsNote(chosen.length, measured.length),
      ...(measured.length < points.length
        ? [`Of ${points.length - measured.length} settings no times of stages were measured.`]
        : []),
    ],
  };
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
