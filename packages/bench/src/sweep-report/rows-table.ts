import type { RowLine } from "../results/format.js";
import { formatNumber } from "../table.js";
import { dimensionNames, dimensions, textOf } from "./dimensions.js";
import { type Html, html } from "./html.js";
import { labelOf, type Point, settingOf, varying } from "./points.js";

const measured: readonly (readonly [string, (row: RowLine) => string])[] = [
  ["repeat", row => `${row.repeat}${row.stage === "final" ? " (final)" : ""}`],
  ["commits/s", row => textOf(Math.round(row.commitsPerSecond))],
  ["p50 ms", row => formatNumber(row.latencyUs.p50 / 1000)],
  ["p90 ms", row => formatNumber(row.latencyUs.p90 / 1000)],
  ["p99 ms", row => formatNumber(row.latencyUs.p99 / 1000)],
  ["p99.9 ms", row => formatNumber(row.latencyUs.p999 / 1000)],
  ["max ms", row => formatNumber(row.latencyUs.max / 1000)],
  ["cores", row => formatNumber(row.cpu?.process ?? null)],
];

/** Everything that was measured, a line for each row of the files. */
export function rowsTable(points: readonly Point[]): Html {
  const differing = varying(points);
  const same = dimensions.filter(dimension => !differing.includes(dimension));
  const common = points[0] === undefined ? "" : labelOf(points[0], same);
  const heads = [...differing.map(dimension => dimensionNames[dimension]), ...measured.map(([name]) => name)];
  const lines = points.flatMap(point =>
    point.rows.map(row => {
      const settings = differing.map(dimension => textOf(settingOf(point, dimension)));
      const cells = [...settings, ...measured.map(([, read]) => read(row))];
      return html`<tr>${cells.map(cell => html`<td>${cell}</td>`)}<td class="text">${row.warnings.join("; ")}</td></tr>
`;
    }),
  );
  return html`${common === "" ? null : html`<p>The same in all rows: ${common}.</p>`}
<div class="scroll"><table class="rows"><thead><tr>${heads.map(head => html`<th scope="col">${head}</th>`)}<th scope="col" class="text">warnings</th></tr></thead>
<tbody>${lines}</tbody></table></div>`;
}
