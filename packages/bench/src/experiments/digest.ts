import { batchingShape, clusterRow } from "./cluster-row.js";

/** The batching row with hashes in Accepted. The leader is the one source that sends the values to the learners. */
export const digest = clusterRow({
  id: "digest",
  adds: "hashes in Accepted; values from the leader",
  variantOf: "batching",
  alsoAtPayload: 1024,
  shape: options => ({ ...batchingShape(options), digest: true }),
});
