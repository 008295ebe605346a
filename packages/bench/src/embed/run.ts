import type { OnStep } from "../measure.js";
import { type LatencyRow, latencySteps, measureLatency } from "./latency.js";
import { measureReads, type Reads, readsSteps } from "./reads.js";
import { renderLatency, renderReads } from "./table.js";

export const embedSections = ["reads", "latency"] as const;
export type EmbedSection = (typeof embedSections)[number];

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
}

/** Commands per second that are committed beside what is measured with a load. */
const besidePerSecond = 10_000;

/** Everything that somebody asks who is about to embed a cluster. @throws VerificationError */
export async function measureEmbedding(
  { seconds: given, quick, only }: EmbedOptions,
  onStep: OnStep,
): Promise<EmbedFigures> {
  const seconds = given ?? (quick ? 0.1 : 2);
  const sections = embedSections.filter(section => only?.includes(section) ?? true);
  const steps: Record<EmbedSection, number> = { reads: readsSteps, latency: latencySteps };
  const total = sections.reduce((sum, section) => sum + steps[section], 0);
  let done = 0;
  const step = (what: string): void => onStep(++done, total, what);
  const figures: EmbedFigures = {};
  for (const section of sections) {
    if (section === "reads") figures.reads = await measureReads({ seconds, besidePerSecond }, step);
    else figures.latency = await measureLatency({ seconds }, step);
  }
  return figures;
}

export function renderEmbedding({ reads, latency }: EmbedFigures): string {
  const tables = [reads && renderReads(reads), latency && renderLatency(latency)];
  return tables.filter(table => table !== undefined).join("\n\n");
}
