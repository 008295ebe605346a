import type { Experiment } from "./experiment.js";
import type { BenchOptions } from "./options.js";

/** Rows that are measured side by side, with the same options. */
export interface Group {
  readonly experiments: readonly Experiment[];
  readonly options: BenchOptions;
}

/**
 * Clients of a row with a larger payload. Of more of them, values fill the lanes of an acceptor that is late (1 MiB):
 * frames are dropped, and what is measured are retransmissions. With 4,096 it was a third of what 256 reached.
 */
const payloadClientsMax = 256;

/** All rows with the options as they are, and then those that are to be seen with larger commands as well. */
export function groupsOf(experiments: readonly Experiment[], options: BenchOptions): [Group, ...Group[]] {
  const groups: [Group, ...Group[]] = [{ experiments, options }];
  for (const variant of experiments) {
    const base = experiments.find(({ id }) => id === variant.variantOf);
    const payload = variant.alsoAtPayload;
    if (base === undefined || payload === undefined || payload === options.payload) continue;
    const clients = Math.min(options.clients, payloadClientsMax);
    groups.push({ experiments: [base, variant], options: { ...options, payload, clients } });
  }
  return groups;
}
