import { renderBulk } from "../bulk-table.js";
import { type BulkRow, bulkSteps, measureBulk } from "../experiments/bulk.js";
import type { OnStep } from "../measure.js";
import { type CatchUpRow, catchUpSteps, measureCatchUp } from "./catch-up.js";
import { type LatencyRow, latencySteps, measureLatency, type ThreadsMode } from "./latency.js";
import { measureReads, type Reads, readsSteps } from "./reads.js";
import { measureStartUp, type StartUpRow, startUpSteps } from "./start-up.js";
import { renderCatchUp, renderLatency, renderReads, renderStartUp } from "./table.js";

export const embedSections = ["reads", "latency", "catch-up", "bulk", "start-up"] as const;
type EmbedSection = (typeof embedSections)[number];

export interface EmbedOptions {
  /** Seconds measured per row that is sampled; left out, 2, or 0.1 when quick. */
  readonly seconds?: number;
  /** As little of everything as shows that it works: its figures say nothing. */
  readonly quick: boolean;
  /** Sections to run; all by default. */
  readonly only?: readonly string[];
  /** Where the JSON result goes. */
  readonly json?: string;
}

/** What was measured, by section; a section that was not asked for is absent. */
export interface EmbedFigures {
  reads?: Reads;
  latency?: LatencyRow[];
  catchUp?: CatchUpRow[];
  bulk?: BulkRow[];
  startUp?: StartUpRow[];
}

/** Commands per second that are committed beside what is measured with a load. */
const besidePerSecond = 10_000;

/** A log that a snapshot is worth, and repeats for a median. */
const usual = {
  seconds: 2,
  threads: "isolated" as ThreadsMode,
  catchUp: { commands: 500_000, keys: 50_000, repeats: 5, besidePerSecond },
  startUp: { repeats: 5, idleMs: 2000 },
};
const quickly: typeof usual = {
  seconds: 0.1,
  // Threads are most of what a short run takes.
  threads: "single",
  catchUp: { commands: 5000, keys: 500, repeats: 1, besidePerSecond },
  startUp: { repeats: 1, idleMs: 100 },
};

/** Everything that somebody asks who is about to embed a cluster. @throws VerificationError */
export async function measureEmbedding(
  { seconds: given, quick, only }: EmbedOptions,
  onStep: OnStep,
): Promise<EmbedFigures> {
  const sizes = quick ? quickly : usual;
  const seconds = given ?? sizes.seconds;
  const sections = embedSections.filter(section => only?.includes(section) ?? true);
  const steps: Record<EmbedSection, number> = {
    reads: readsSteps,
    latency: latencySteps,
    "catch-up": catchUpSteps(sizes.catchUp),
    bulk: bulkSteps,
    "start-up": startUpSteps(sizes.startUp),
  };
  const total = sections.reduce((sum, section) => sum + steps[section], 0);
  let done = 0;
  const step = (what: string): void => onStep(++done, total, what);
  const figures: EmbedFigures = {};
  const measure: Record<EmbedSection, () => Promise<void>> = {
    reads: async () => {
      figures.reads = await measureReads({ seconds, besidePerSecond, threads: sizes.threads }, step);
    },
    latency: async () => {
      figures.latency = await measureLatency({ seconds }, step);
    },
    "catch-up": async () => {
      figures.catchUp = await measureCatchUp({ ...sizes.catchUp, threads: sizes.threads }, step);
    },
    bulk: async () => {
      figures.bulk = await measureBulk({ seconds }, (_done, _total, what) => step(what));
    },
    "start-up": async () => {
      figures.startUp = await measureStartUp(sizes.startUp, step);
    },
  };
  for (const section of sections) await measure[section]();
  return figures;
}

/** A table per section that was measured. */
export function renderEmbedding({ reads, latency, catchUp, bulk, startUp }: EmbedFigures): string {
  const tables = [
    reads && renderReads(reads),
    latency && renderLatency(latency),
    catchUp && renderCatchUp(catchUp),
    bulk && renderBulk(bulk),
    startUp && renderStartUp(startUp),
  ];
  return tables.filter(table => table !== undefined).join("\n\n");
}
