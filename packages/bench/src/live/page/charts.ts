import uPlot from "uplot";
import type { LiveEvent, LiveEventKind, LiveSample } from "../messages.js";
import { byId, clock } from "./dom.js";

const height = 190;

/** A colour of the style sheet, as it is at present. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** @param at seconds since 1970 */
function timeText(at: number): string {
  return clock.format(new Date(at * 1000));
}

/** From zero on: a chart that cuts its foot off makes much of little. */
const linear: uPlot.Scale = { range: (_, __, max) => [0, Math.max(1, max || 0) * 1.1] };

/** Whole decades: p50 and p99 can both be read, also beside the peak of an election. */
const logarithmic: uPlot.Scale = {
  distr: 3,
  range: (_, min, max) => {
    const from = Math.floor(Math.log10(min || 1));
    const to = Math.ceil(Math.log10(max || 1));
    return [10 ** from, 10 ** Math.max(to, from + 1)];
  },
};

/** Of a logarithmic axis some ticks have no label: they are null. */
function tickText(tick: number | null): string {
  return tick === null ? "" : tick.toLocaleString("en-US");
}

interface Series {
  readonly label: string;
  readonly colour: string;
  readonly isFilled: boolean;
}

/** Two charts that share their time. */
export class LiveCharts {
  #charts: readonly uPlot[] = [];
  #samples: readonly LiveSample[] = [];
  #events: readonly LiveEvent[] = [];

  constructor() {
    this.#make();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      // A legend keeps the colours that it was made with.
      for (const chart of this.#charts) chart.destroy();
      this.#make();
      this.show(this.#samples, this.#events);
    });
    new ResizeObserver(() => this.#resize()).observe(byId("charts"));
  }

  show(samples: readonly LiveSample[], events: readonly LiveEvent[]): void {
    this.#samples = samples;
    this.#events = events;
    const times = samples.map(({ atMs }) => atMs / 1000);
    const [commits, latency] = this.#charts;
    commits?.setData([times, samples.map(({ commitsPerSecond }) => commitsPerSecond)]);
    latency?.setData([times, samples.map(({ p50Ms }) => p50Ms), samples.map(({ p99Ms }) => p99Ms)]);
  }

  #make(): void {
    this.#charts = [
      this.#chart("commits-chart", linear, [{ label: "commits/s", colour: "commits", isFilled: true }]),
      this.#chart("latency-chart", logarithmic, [
        { label: "p50 ms", colour: "p50", isFilled: false },
        { label: "p99 ms", colour: "p99", isFilled: false },
      ]),
    ];
  }

  #chart(id: string, y: uPlot.Scale, series: readonly Series[]): uPlot {
    const target = byId(id);
    const axis = (size: number): uPlot.Axis => ({
      stroke: () => colour("quiet"),
      grid: { stroke: () => colour("line"), width: 1 },
      ticks: { stroke: () => colour("line"), width: 1 },
      size,
    });
    const options: uPlot.Options = {
      width: Math.max(1, target.clientWidth),
      height,
      cursor: { sync: { key: "live" }, drag: { x: false, y: false } },
      legend: { show: true },
      scales: { y },
      axes: [
        { ...axis(30), space: 80, values: (_, ticks) => ticks.map(timeText) },
        { ...axis(64), values: (_, ticks) => ticks.map(tickText) },
      ],
      series: [
        { label: "at", value: (_, at) => (at === null ? "–" : timeText(at)) },
        ...series.map(
          ({ label, colour: name, isFilled }): uPlot.Series => ({
            label,
            stroke: () => colour(name),
            width: 2,
            points: { show: false },
            ...(isFilled ? { fill: () => `color-mix(in srgb, ${colour(name)} 15%, transparent)` } : {}),
            value: (_, value) =>
              value === null ? "–" : value.toLocaleString("en-US", { maximumFractionDigits: 2 }),
          }),
        ),
      ],
      hooks: { draw: [chart => this.#drawMarks(chart)] },
    };
    return new uPlot(options, [[], ...series.map(() => [])] as uPlot.AlignedData, target);
  }

  /** A line for each event, over the whole height. */
  #drawMarks(chart: uPlot): void {
    const { ctx, bbox } = chart;
    let marks = 0;
    ctx.save();
    ctx.lineWidth = Math.max(1, devicePixelRatio * 1.5);
    for (const { atMs, kind } of this.#events) {
      const x = chart.valToPos(atMs / 1000, "x", true);
      if (!(x >= bbox.left && x <= bbox.left + bbox.width)) continue;
      ctx.strokeStyle = colour(kind satisfies LiveEventKind);
      ctx.setLineDash(kind === "you" ? [] : [4 * devicePixelRatio, 3 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      marks++;
    }
    ctx.restore();
    // What a canvas shows, for whoever does not see it.
    chart.root.setAttribute("role", "img");
    chart.root.setAttribute("aria-label", `${this.#samples.length} points, ${marks} marks`);
  }

  #resize(): void {
    for (const chart of this.#charts) {
      const width = chart.root.parentElement?.clientWidth ?? 0;
      if (width > 0 && width !== chart.width) chart.setSize({ width, height });
    }
  }
}
