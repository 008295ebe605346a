import { batchingShape, clusterRow } from "./cluster-row.js";

/** Pipelining: the leader does not wait for one instance before it proposes the next. */
export const pipelining = clusterRow({
  id: "pipelining",
  adds: "several Accepts under way",
  shape: options => ({ ...batchingShape(options), commandsMax: 1 }),
});
