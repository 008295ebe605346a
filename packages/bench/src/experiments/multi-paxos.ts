import { batchingShape, clusterRow } from "./cluster-row.js";

/** Multi-Paxos: while the leader is stable only phase 2 runs. */
export const multiPaxos = clusterRow({
  id: "multi-paxos",
  adds: "phase 1 once for all instances",
  shape: options => ({ ...batchingShape(options), commandsMax: 1, batchesMax: 1 }),
});
