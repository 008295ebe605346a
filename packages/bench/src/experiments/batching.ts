import { batchingShape, clusterRow } from "./cluster-row.js";

/** Batching: one Accept carries the commands of consecutive instances. */
export const batching = clusterRow({
  id: "batching",
  adds: "many commands in one Accept",
  shape: batchingShape,
});
