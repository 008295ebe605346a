import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { Html } from "../html.js";
import { reportLimits } from "../limits.js";

/** A drawing of the page. */
export interface Chart {
  readonly title: string;
  readonly drawing: Html;
  readonly legend?: Html | undefined;
  /** Takes the whole width of the page. */
  readonly isWide?: boolean;
  /** What the drawing alone would not tell, in a sentence. */
  readonly note?: string | undefined;
}

/** Charts that answer one question. */
export interface Section {
  readonly id: string;
  readonly title: string;
  /** How to read it, and what not to conclude. */
  readonly explanation: string;
  readonly charts: readonly Chart[];
  /** What is not drawn, and why. */
  readonly notes: readonly string[];
  /** Follows the charts. */
  readonly table?: Html;
}

const { document } = parseHTML("<!doctype html><html><body></body></html>");
const className = "plot";

/** Width of a drawing in units that are pixels unless the page is narrow. */
export const chartWidth = 580;
export const wideChartWidth = 900;
export const axisFontSize = 12;

/** Colours are variables of the page's style, so that one drawing does for light, dark and paper. */
const seriesColors = Array.from({ length: reportLimits.series }, (_, index) => `var(--series-${index})`);
const seriesSymbols = ["circle", "square", "triangle", "diamond", "cross", "star", "wye"] as const;

export function draw(options: Plot.PlotOptions & { readonly title: string }): Html {
  const { title, ...rest } = options;
  const drawn = Plot.plot({
    document,
    className,
    figure: false,
    width: chartWidth,
    height: 340,
    // The name of the axis stands above its highest number.
    marginTop: 30,
    marginLeft: 56,
    marginRight: 24,
    marginBottom: 42,
    ariaLabel: title,
    style: { fontSize: `${axisFontSize}px` },
    ...rest,
  } as Plot.PlotOptions);
  drawn.setAttribute("role", "img");
  return new Html(drawn.outerHTML);
}

interface SeriesScales {
  readonly color: Plot.ScaleOptions;
  readonly symbol: Plot.ScaleOptions;
}

/** Scales by which each series keeps its colour and symbol, in the drawing and in its legend. */
export function seriesScales(names: readonly string[]): SeriesScales {
  const domain = [...names];
  return {
    color: { type: "ordinal", domain, range: seriesColors.slice(0, names.length) },
    symbol: { domain, range: [...seriesSymbols].slice(0, names.length) },
  };
}

/** Names of series beside their symbols; none for a single one without a name. */
export function seriesLegend(names: readonly string[]): Html | undefined {
  if (names.length === 0 || (names.length === 1 && names[0] === "")) return undefined;
  const { color, symbol } = seriesScales(names);
  return legendOf({ color, symbol, fill: "color" });
}

/** Names of areas beside their colours. */
export function swatchLegend(names: readonly string[], colors: readonly string[]): Html {
  return legendOf({ color: { type: "ordinal", domain: [...names], range: [...colors] } });
}

function legendOf(scales: Plot.LegendScales): Html {
  // The types leave out that a legend can be made in a document of one's own.
  return new Html(Plot.legend({ ...scales, document, className } as Plot.LegendScales).outerHTML);
}

/** What `highlights` has chosen; nothing when that is all. */
export function highlightsNote(drawn: number, all: number): string[] {
  if (drawn === all) return [];
  return [
    `${drawn} of ${all.toLocaleString("en-US")} settings are drawn: of each number of clients, rate and so on the fastest batch and pipeline, and while there is room the adaptive default. All rows are in the table.`,
  ];
}

/** How many of what were left out of a section; nothing when it is none. */
export function leftOut(drawn: number, all: number, what: string): string[] {
  if (drawn === all) return [];
  const n = (count: number) => count.toLocaleString("en-US");
  return [
    `${n(drawn)} of ${n(all)} ${what} are drawn, those with the most commits per second. All rows are in the table.`,
  ];
}
