import { batchingShape, clusterRow } from "./cluster-row.js";

/** The batching row with a distinguished learner: fewer messages, and one more delay for the other learners. */
export const distinguishedLearner = clusterRow({
  id: "distinguished-learner",
  adds: "acceptors tell one learner, which tells the others",
  variantOf: "batching",
  shape: options => ({ ...batchingShape(options), distinguishedLearner: true }),
});
