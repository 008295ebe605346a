import type { MessageChart } from "../messages.js";
import { byId, setText, svgElement } from "./dom.js";
import { type DrawnChart, layOutSequence } from "./sequence-layout.js";

let shown: MessageChart | null = null;

/** Draws the messages, if they are others than those that are shown. */
export function showMessages(chart: MessageChart | null, leader: string | null): void {
  if (chart === null || chart === shown) return;
  shown = chart;
  setText(byId("messages-note"), chart.note);
  byId("messages").replaceChildren(draw(layOutSequence(chart), leader));
}

function draw(chart: DrawnChart, leader: string | null): SVGSVGElement {
  const { width, height, top, figureEnd, labelStart } = chart;
  const names = chart.rows.map(({ label, figure }) => `${label} ${figure}`).join(", ");
  const svg = svgElement("svg", {
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "aria-label": names,
  });
  for (const { text, x, y } of chart.titles) svg.append(svgElement("text", { class: "title", x, y }, text));
  for (const { actor, short, x } of chart.lifelines) {
    svg.append(svgElement("line", { class: "lifeline", x1: x, x2: x, y1: top, y2: height }));
    const name = svgElement("text", { class: actor === leader ? "name leads" : "name", x, y: 32 }, short);
    name.append(svgElement("title", {}, actor));
    svg.append(name);
  }
  for (const { label, figure, tone, y, senders, arrows } of chart.rows) {
    const row = svgElement("g", { class: "flows", "data-tone": tone, "data-message": label });
    for (const { start, end } of arrows) {
      row.append(svgElement("path", { class: "arrow", d: `M${start.x} ${start.y}L${end.x} ${end.y}` }));
      row.append(svgElement("path", { class: "head", d: headOf(start, end) }));
    }
    for (const { x, y: at } of senders)
      row.append(svgElement("circle", { class: "sender", cx: x, cy: at, r: 3 }));
    row.append(svgElement("text", { class: "figure", x: figureEnd, y: y + 4 }, figure));
    row.append(svgElement("text", { class: "label", x: labelStart, y: y + 4 }, label));
    svg.append(row);
  }
  return svg;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A triangle whose tip is at the end of the arrow. */
function headOf(start: Point, end: Point): string {
  const length = Math.hypot(end.x - start.x, end.y - start.y);
  const along = { x: (end.x - start.x) / length, y: (end.y - start.y) / length };
  const corner = (side: number) =>
    `${(end.x - 7 * along.x - side * 3 * along.y).toFixed(1)} ${(end.y - 7 * along.y + side * 3 * along.x).toFixed(1)}`;
  return `M${end.x} ${end.y}L${corner(1)}L${corner(-1)}Z`;
}
