import type { RowLine, RunLine, Settings } from "../../dist/results/format.js";

export const settings: Settings = {
  ...{ clients: 256, mode: "closed", ratePerSecond: null, batch: 64, pipeline: 4 },
  ...{ payloadBytes: 0, acceptors: 3, learners: 2, mailbox: "ring", threads: "isolated", clientThreads: 0 },
};

export const runLine: RunLine = {
  ...{ kind: "run", schema: 1, id: "a", command: "sweep", startedAt: "2026-01-01T00:00:00.000Z" },
  options: {},
  host: {
    ...{ cpuModel: "a", cores: 2, containerCpus: null, memoryBytes: 1 },
    ...{ platform: "linux", release: "6", arch: "x64" },
  },
  versions: { node: "20.0.0", v8: "11", synod: "0.0.0", git: null },
  noise: null,
  loadAverage: [0, 0, 0],
};

/** A row whose figures but for the rate, and the 99th percentile in microseconds, do not matter. */
export function rowOf(
  of: Partial<Settings>,
  commitsPerSecond: number,
  more: Partial<RowLine> & { readonly p99?: number } = {},
): RowLine {
  const { p99 = 5000, ...rest } = more;
  return {
    ...{ kind: "row", settings: { ...settings, ...of }, repeat: 0, at: "2026-01-01T00:00:00.000Z" },
    ...{ seconds: 1, commits: commitsPerSecond, commitsPerSecond },
    latencyUs: { p50: 1000, p90: 2000, p99, p999: 9000, max: 9000, mean: 1200, histogram: [[9000, 10]] },
    ...{ cpu: null, stagesUs: null, loadAverage: [0, 0, 0], warnings: [] },
    ...rest,
  };
}
