import type { StageReport, stageParts } from "../profile/stage-times.js";
import type { StagesUs } from "../results/format.js";

/** What one client has seen of the parts of a commit. */
export interface StageMedians {
  /** Commands that were timed, one of each batch that was. */
  readonly samples: number;
  readonly medians: StagesUs;
}

const fields = {
  "client queue": "clientQueue",
  proposer: "proposer",
  acceptors: "acceptors",
  learner: "learner",
  reply: "reply",
} as const satisfies Readonly<Record<(typeof stageParts)[number], keyof StagesUs>>;

/** In microseconds. */
export function stageMediansOf({ samples, parts }: StageReport): StageMedians {
  const values = parts.map(({ part, p50Ms }) => [fields[part], Math.round(p50Ms * 1000)] as const);
  return { samples, medians: Object.fromEntries(values) as StagesUs };
}

/** Of several clients: the mean of their medians, by how many commands each has timed. Null when none has. */
export function combined(clients: readonly (StageMedians | null)[]): StagesUs | null {
  const timed = clients.filter(client => client !== null).filter(({ samples }) => samples > 0);
  const all = timed.reduce((sum, { samples }) => sum + samples, 0);
  if (all === 0) return null;
  const mean = (field: keyof StagesUs): number =>
    Math.round(timed.reduce((sum, { samples, medians }) => sum + samples * medians[field]!, 0) / all);
  return Object.fromEntries(Object.values(fields).map(field => [field, mean(field)])) as StagesUs;
}
