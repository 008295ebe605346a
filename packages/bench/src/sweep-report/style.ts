import { reportLimits } from "./limits.js";

/** Colours that people who are colour-blind can tell apart (after Okabe and Ito), dark enough for white paper. */
const onWhite = {
  paper: "#ffffff",
  ink: "#1b1f24",
  dim: "#5b636d",
  line: "#d8dce1",
  card: "#f6f7f9",
  warn: "#b45309",
  mark: "#e07a10",
  "on-series": "#ffffff",
  series: ["#0072b2", "#c2500a", "#00795c", "#a3417f", "#7a6200", "#4b4f9e", "#3d4248"],
  heat: ["#eef4fb", "#d3e4f4", "#aacfe9", "#75b1da", "#4490c6", "#2069a8", "#0b437f"],
  heatInk: ["#1b1f24", "#1b1f24", "#1b1f24", "#1b1f24", "#14171a", "#ffffff", "#ffffff"],
};
const onBlack: typeof onWhite = {
  paper: "#15181c",
  ink: "#e7eaee",
  dim: "#a0a8b2",
  line: "#343a42",
  card: "#1c2026",
  warn: "#f5a54a",
  mark: "#ff9f2e",
  "on-series": "#15181c",
  series: ["#5ab4e8", "#f0944d", "#3fc9a0", "#e79bc9", "#d8c04a", "#a6a9f0", "#c8ced6"],
  heat: ["#1b2632", "#1d3850", "#204f77", "#2a6aa0", "#4b8ec6", "#82b7e2", "#c3def4"],
  heatInk: ["#e7eaee", "#e7eaee", "#e7eaee", "#ffffff", "#15181c", "#15181c", "#15181c"],
};

function variables({ series, heat, heatInk, ...others }: typeof onWhite): string {
  return [
    ...Object.entries(others).map(([name, color]) => `--${name}:${color}`),
    ...series.slice(0, reportLimits.series).map((color, index) => `--series-${index}:${color}`),
    ...heat.map((color, index) => `--heat-${index}:${color}`),
    ...heatInk.map((color, index) => `--heat-ink-${index}:${color}`),
  ].join(";");
}

/** The page's style: light and dark as the reader has it, and always light on paper. */
export const pageStyle = `
:root { color-scheme: light; ${variables(onWhite)} }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; ${variables(onBlack)} } }
* { box-sizing: border-box; }
html { background: var(--paper); }
body { margin: 0 auto; padding: 1.5rem; max-width: 1280px; color: var(--ink); background: var(--paper);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .75rem; }
h2 { font-size: 1.15rem; margin: 0 0 .25rem; }
section { margin-top: 2.5rem; }
section > p { max-width: 78ch; margin: .25rem 0 .5rem; color: var(--dim); }
section > p.note { color: var(--ink); }
a { color: var(--series-0); }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin-top: 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .75rem .2rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--dim); text-align: left; white-space: nowrap; }
.facts td { min-width: 16rem; overflow-wrap: anywhere; }
.rows th, .rows td { text-align: right; white-space: nowrap; }
.rows .text { text-align: left; white-space: normal; }
.rows th[scope="row"] { text-align: left; }
details { margin-top: 1rem; }
summary { cursor: pointer; }
.option { display: inline-block; margin-right: .75rem; }
.option b { font-weight: 600; }
.warnings { margin: 1rem 0; padding: .75rem 1rem; border-left: 4px solid var(--warn); background: var(--card); }
.warnings h2 { font-size: 1rem; color: var(--warn); }
.warnings ul { margin: 0; padding-left: 1.25rem; }
.quiet { color: var(--dim); }
.charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1.25rem; margin-top: .75rem; }
figure { margin: 0; padding: .75rem; min-width: 0; border: 1px solid var(--line); border-radius: 6px;
  break-inside: avoid; }
figure.wide { grid-column: 1 / -1; }
figcaption { font-weight: 600; margin-bottom: .25rem; }
figure .note { margin: .25rem 0 0; font-size: .85rem; color: var(--dim); }
svg.plot { --plot-background: var(--paper); min-width: 460px; max-width: 100%; height: auto; }
.wide svg.plot { min-width: 640px; width: 100%; max-width: 1040px; }
.plot-swatches { font-size: .85rem; }
.heat-scale { display: flex; align-items: center; gap: .5rem; min-height: 33px; font-size: .85rem; }
.heat-scale span { display: inline-flex; }
.heat-scale i { width: 1.5rem; height: .8rem; }
@media (max-width: 860px) { body { padding: 1rem; } .facts td { min-width: 9rem; } .charts { grid-template-columns: minmax(0, 1fr); } }
@media print {
  @page { margin: 14mm; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { padding: 0; max-width: none; font-size: 11px; }
  nav { display: none; }
  .charts { grid-template-columns: minmax(0, 1fr); }
  .scroll { overflow: visible; }
  svg.plot, .wide svg.plot { min-width: 0; width: 100%; max-width: 540px; margin: 0 auto; }
  .plot-swatches, .heat-scale, figure .note { font-size: 10px; min-height: 0; }
  section > p { break-after: avoid; }
  .wide svg.plot { max-width: 100%; }
  h2, figcaption { break-after: avoid; }
  thead { display: table-header-group; }
  tr { break-inside: avoid; }
  table { font-size: 9px; }
  .rows th, .rows td { white-space: normal; }
}
`;
