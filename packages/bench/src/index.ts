export { experiments } from "./experiments/index.js";
export { type Group, groupsOf } from "./groups.js";
export { type Measurement, measure } from "./measure.js";
export type { BenchOptions } from "./options.js";
export { type Comparison, type MeasuredGroup, type Report, type Row, reportOf } from "./report.js";
export { renderComparisons, renderTable } from "./table.js";
