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
export { type FaultKind, faultKinds, type Profile } from "./profile.js";
export { Random } from "./random.js";
export { describeFailure, type ShortenedFailure, shortenFailure } from "./shorten.js";
export { type SimulationOptions, type SimulationResult, simulate } from "./simulation.js";
export { type CounterName, type Counters, counterNames, noCounters } from "./world.js";
