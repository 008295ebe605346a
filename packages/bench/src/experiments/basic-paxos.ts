import { batchingShape, clusterRow } from "./cluster-row.js";

/** Basic Paxos per instance, in sequence: the baseline. */
export const basicPaxos = clusterRow({
  id: "basic-paxos",
  adds: "both phases for every instance, one after the other",
  shape: options => ({ ...batchingShape(options), protocol: "basic-paxos", commandsMax: 1, batchesMax: 1 }),
});
