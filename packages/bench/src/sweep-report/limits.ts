/** What a report holds at most, with the reasons. All rows are in its table. */
export const reportLimits = {
  /** Each is called by one letter, and is a column of the facts. */
  files: 8,
  /** Charts of one section: a page that can still be leafed through. */
  charts: 12,
  /** Lines in one chart: as many as there are colours and symbols that can be told apart. */
  series: 7,
  /** Bars, or lines of a matrix, in one chart. */
  bars: 20,
  /** Columns of a heat map in which a number still fits. */
  heatMapNumbers: 14,
  /** Kinds of warnings of the rows that are told at the top. */
  warnings: 12,
  /** From here on noise is worth a warning: in percent, the middle of all differences between repeats. */
  noisePercent: 10,
} as const;
