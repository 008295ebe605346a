import * as v from "valibot";

/** The only schema that there is so far; it changes when a reader of today would misread a file. */
export const resultSchema = 1;

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const positive = v.pipe(v.number(), v.minValue(0));
const following = <T extends string>(word: T) => v.union([whole, v.literal(word)]);
const loadAverage = v.tuple([positive, positive, positive]);

/** What one row was measured with. */
const settings = v.looseObject({
  clients: whole,
  /** Commands per Accept at most. */
  batch: following("adaptive"),
  /** Accepts under way at most; `adaptive` is the default, which no option of the sweep has set. */
  pipeline: following("adaptive"),
  payloadBytes: whole,
  acceptors: whole,
  learners: whole,
  mailbox: v.picklist(["ring", "port"]),
  threads: v.picklist(["isolated", "compact", "single"]),
  /** Threads that the clients are divided among; 0 when they live on the main thread. */
  clientThreads: whole,
  mode: v.picklist(["closed", "open"]),
  /** The rate that was intended; null of closed-loop clients. */
  ratePerSecond: v.nullable(positive),
});

const host = v.looseObject({
  cpuModel: v.string(),
  cores: whole,
  /** CPUs that a control group allows; null without a limit, or where there are no control groups. */
  containerCpus: v.nullable(positive),
  memoryBytes: whole,
  platform: v.string(),
  release: v.string(),
  arch: v.string(),
});

const versions = v.looseObject({
  node: v.string(),
  v8: v.string(),
  synod: v.string(),
  /** The commit of the sources; null outside of a checkout. */
  git: v.nullable(v.string()),
});

/** Begins a file, and again each time that a run is resumed. */
const runLine = v.looseObject({
  kind: v.literal("run"),
  schema: v.literal(resultSchema),
  id: v.string(),
  command: v.string(),
  /** ISO 8601. */
  startedAt: v.string(),
  options: v.record(v.string(), v.unknown()),
  host,
  versions,
  /** Always null: noise is computed from rows of the same settings. */
  noise: v.null(),
  loadAverage,
});

/** Microseconds from the intended start of a command (open loop) or its call (closed loop) to its result. */
const latencyUs = v.looseObject({
  p50: positive,
  p90: positive,
  p99: positive,
  p999: positive,
  max: positive,
  mean: positive,
  /** Upper bound of a bucket, and how many lie in it; about 100 buckets that widen with the value. */
  histogram: v.array(v.tuple([positive, whole])),
});

const cpu = v.looseObject({
  /** Cores that the whole process kept busy. */
  process: positive,
  /** The part of a core that each actor took; `clients` is all client threads together. */
  actors: v.record(v.string(), positive),
});

/** Medians, in microseconds. */
const stagesUs = v.looseObject({
  clientQueue: positive,
  proposer: positive,
  acceptors: positive,
  learner: positive,
  reply: positive,
});

/** One measurement of one cell of the grid. */
const rowLine = v.looseObject({
  kind: v.literal("row"),
  settings,
  /** From 0; rows with the same repeat were measured one after the other. */
  repeat: whole,
  at: v.string(),
  seconds: positive,
  commits: whole,
  commitsPerSecond: positive,
  latencyUs,
  cpu: v.nullable(cpu),
  stagesUs: v.nullable(stagesUs),
  loadAverage,
  warnings: v.array(v.string()),
  /** `final`: measured again beside the default, to find out whether it is better. A row of the grid without it. */
  stage: v.optional(v.picklist(["grid", "final"])),
});

/** Written when a run was complete; a file that was cut, or whose run was interrupted, has none. */
const endLine = v.looseObject({ kind: v.literal("end"), at: v.string(), rows: whole });

export const lineSchema = v.variant("kind", [runLine, rowLine, endLine]);

export type Settings = Readonly<v.InferOutput<typeof settings>>;
export type Host = Readonly<v.InferOutput<typeof host>>;
export type Versions = Readonly<v.InferOutput<typeof versions>>;
export type RunLine = Readonly<v.InferOutput<typeof runLine>>;
export type RowLine = Readonly<v.InferOutput<typeof rowLine>>;
export type EndLine = Readonly<v.InferOutput<typeof endLine>>;
export type LatencyUs = Readonly<v.InferOutput<typeof latencyUs>>;
/** The five parts of a commit. */
export type StagesUs = Readonly<
  Record<"clientQueue" | "proposer" | "acceptors" | "learner" | "reply", number>
>;
export type CpuShares = Readonly<v.InferOutput<typeof cpu>>;
export type ResultLine = RunLine | RowLine | EndLine;

/** The same text for the same settings, whatever their order. */
export function keyOf(of: Settings): string {
  return JSON.stringify(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)));
}
