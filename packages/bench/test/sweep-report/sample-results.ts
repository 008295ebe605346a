// Results as a sweep writes them, computed instead of measured: the same seed gives the same file.
import type { ResultLine, RowLine, RunLine, Settings } from "../../dist/results/format.js";

/** What the sample's grid is. */
export interface Sample {
  readonly seed: number;
  readonly clients?: readonly number[];
  readonly batches?: readonly Settings["batch"][];
  readonly pipelines?: readonly Settings["pipeline"][];
  /** Of an open loop, besides; none by default. */
  readonly rates?: readonly number[];
  readonly repeats?: number;
  /** Times the commits per second of every row. */
  readonly factor?: number;
  /** How far repeats are apart, as a part of the value. */
  readonly noise?: number;
  readonly stages?: boolean;
  readonly threads?: "isolated" | "compact";
  readonly warnings?: readonly string[];
  readonly synod?: string;
}

/** A generator of chance that anybody can replay (mulberry32). */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const common = {
  payloadBytes: 0,
  acceptors: 3,
  learners: 2,
  mailbox: "ring",
  clientThreads: 0,
} as const;

/** All lines of a run that was complete. */
export function sampleLines(sample: Sample): ResultLine[] {
  const { seed, repeats = 3, clients = [1, 256, 4096], rates = [] } = sample;
  const {
    threads = "isolated",
    batches = [1, 16, 64, 256, 1024, "adaptive"],
    pipelines = [1, 4, 16],
  } = sample;
  const random = chance(seed);
  const cells: Settings[] = [];
  for (const count of clients) {
    for (const batch of batches) {
      if (batch === "adaptive")
        cells.push({ ...common, clients: count, batch, pipeline: "adaptive", threads, ...closed });
      else
        for (const pipeline of pipelines)
          cells.push({ ...common, clients: count, batch, pipeline, threads, ...closed });
    }
  }
  for (const ratePerSecond of rates) {
    const batch = "adaptive" as const;
    cells.push({ ...common, clients: 0, batch, pipeline: batch, threads, mode: "open", ratePerSecond });
  }
  const rows: RowLine[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const settings of cells) rows.push(rowOf(settings, repeat, sample, random));
  }
  return [runOf(sample), ...rows, { kind: "end", at: "2026-01-02T03:24:05.000Z", rows: rows.length }];
}

export function textOf(lines: readonly ResultLine[]): string {
  return lines.map(line => `${JSON.stringify(line)}\n`).join("");
}

const closed = { mode: "closed", ratePerSecond: null } as const;

function runOf({ seed, synod = "0.1.0" }: Sample): RunLine {
  return {
    kind: "run",
    schema: 1,
    id: `sample-${seed}`,
    command: "sweep",
    startedAt: "2026-01-02T03:04:05.000Z",
    options: { clients: [1, 256, 4096], batch: [1, 16, "adaptive"], seconds: 2, repeats: 3, seed },
    host: {
      cpuModel: "Example 9000 <64 cores>",
      cores: 8,
      containerCpus: 2,
      memoryBytes: 16 * 2 ** 30,
      platform: "linux",
      release: "6.1.0",
      arch: "x64",
    },
    versions: { node: "20.20.2", v8: "11.3", synod, git: "0123456789ab" },
    noise: null,
    loadAverage: [0.4, 0.5, 0.6],
  };
}

function rowOf(settings: Settings, repeat: number, sample: Sample, random: () => number): RowLine {
  const { factor = 1, noise = 0.03, stages = true, warnings = [] } = sample;
  const jitter = 1 + noise * (2 * random() - 1);
  const size = settings.batch === "adaptive" ? 128 : settings.batch;
  const depth = settings.pipeline === "adaptive" ? 8 : settings.pipeline;
  const inFlight = Math.min(settings.clients || 256, size * depth);
  const capacity = (1_500_000 * inFlight) / (inFlight + 900);
  const perSecond =
    (settings.ratePerSecond === null ? capacity : Math.min(settings.ratePerSecond, capacity)) *
    factor *
    jitter;
  const load = perSecond / (capacity * factor * 1.05);
  const medianUs =
    settings.ratePerSecond === null ? (settings.clients / perSecond) * 1e6 : 90 / Math.max(0.02, 1 - load);
  const seconds = 2;
  const commits = Math.round(perSecond * seconds);
  return {
    kind: "row",
    settings,
    repeat,
    at: "2026-01-02T03:05:05.000Z",
    seconds,
    commits,
    commitsPerSecond: perSecond,
    latencyUs: latencyOf(medianUs, commits),
    cpu: { process: 1.9 * load + 0.1, actors: actorsOf(settings, load) },
    stagesUs: stages
      ? {
          clientQueue: 0.4 * medianUs,
          proposer: 0.2 * medianUs,
          acceptors: 0.15 * medianUs,
          learner: 0.2 * medianUs,
          reply: 0.05 * medianUs,
        }
      : null,
    loadAverage: [1.2 + random(), 0.9, 0.8],
    warnings: [...warnings],
  };
}

/** Parts of a core; actors that share a thread share its time. */
function actorsOf({ threads }: Settings, load: number): Record<string, number> {
  const clients = 0.95 * load;
  if (threads === "compact") {
    return {
      "proposer-0 + acceptor-0 + learner-0": 0.9 * load,
      "proposer-1 + acceptor-1 + learner-1": 0.6 * load,
      ...{ "acceptor-2": 0.2 * load, clients },
    };
  }
  return {
    ...{ "proposer-0": 0.4 * load, "proposer-1": 0.01 },
    ...{ "acceptor-0": 0.2 * load, "acceptor-1": 0.21 * load, "acceptor-2": 0.2 * load },
    ...{ "learner-0": 0.5 * load, "learner-1": 0.45 * load, clients },
  };
}

/** A tail whose logarithm is exponential, in buckets that widen. */
function latencyOf(medianUs: number, commits: number): RowLine["latencyUs"] {
  const histogram: [number, number][] = [];
  let left = commits;
  const beyond = (valueUs: number) => 0.5 * (valueUs / medianUs) ** -3;
  for (let step = -10; step <= 60 && left > 0; step++) {
    const valueUs = Number((medianUs * 1.12 ** step).toPrecision(4));
    const above = step < 0 ? 1 - 0.5 * ((step + 11) / 11) : beyond(valueUs);
    const count = Math.min(left, Math.max(0, Math.round(left - commits * above)));
    if (count > 0) histogram.push([valueUs, count]);
    left -= count;
  }
  if (left > 0) histogram.push([Number((medianUs * 1.12 ** 61).toPrecision(4)), left]);
  const at = (quantile: number) => {
    let below = 0;
    for (const [valueUs, count] of histogram) {
      below += count;
      if (below >= quantile * commits) return valueUs;
    }
    return medianUs;
  };
  return {
    ...{ p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: at(1), mean: medianUs * 1.1 },
    histogram,
  };
}
