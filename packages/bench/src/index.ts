export { experiments } from "./experiments/index.js";
export { type Measurement, measure } from "./measure.js";
export type { BenchOptions } from "./options.js";
export { type Report, type Row, reportOf } from "./report.js";
export { renderTable } from "./table.js";
