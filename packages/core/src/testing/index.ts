export {
  describeAddresses,
  describeBallot,
  describeBatch,
  describeEntry,
  describeMessage,
  describeResult,
  describeSequences,
} from "./describe.js";
export {
  type Configuration,
  disjointQuorums,
  largeConfigurations,
  type ProposerBounds,
  smallConfigurations,
} from "./explorer/configuration.js";
export {
  type Exploration,
  type ExplorationCounts,
  type ExploreOptions,
  explore,
  type FoundViolation,
} from "./explorer/explore.js";
export {
  checkLinearizability,
  type LinearizabilityOptions,
  type LinearizabilityResult,
} from "./linearizability.js";
export { type Operation, partitionByKey } from "./operation.js";
export { type FaultKind, faultKinds, type Profile } from "./profile.js";
export { Random } from "./random.js";
export {
  type CounterInput,
  counterModel,
  type Model,
  type Pending,
  pending,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from "./sequential-model.js";
export { describeFailure, type ShortenedFailure, shortenFailure } from "./shorten.js";
export { type SimulationOptions, type SimulationResult, simulate } from "./simulation.js";
export { type CounterName, type Counters, counterNames, noCounters } from "./world.js";
