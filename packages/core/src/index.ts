export {
  Acceptor,
  type AcceptorBounds,
  type AcceptorOptions,
  type AcceptorReady,
  type AcceptorRecord,
  type AcceptorState,
  type Lease,
  recoverAcceptor,
} from "./acceptor.js";
export { assert, assertNever, InvariantViolation } from "./assert.js";
export { type Ballot, ballotAbove, compareBallots, formatBallot, noBallot, sameBallot } from "./ballot.js";
export {
  type Batch,
  batchBytes,
  type CloseSegment,
  type CommandSegment,
  type FillSegment,
  type KeepAliveSegment,
  type NoopSegment,
  noopBatch,
  type OpenSegment,
  type Segment,
  type SequencedSegment,
  sliceBatch,
  sliceSegment,
} from "./batch.js";
export type { BatchLimits } from "./batch-size.js";
export { Client, type ClientOptions, type ClientReady, type Expired } from "./client.js";
export type { Answered, Consistency, ExpiredRead } from "./client-reads.js";
export { endOf, type InstanceRange, InstanceRanges } from "./instance-ranges.js";
export type { LateReason } from "./leader-watch.js";
export { Learner, type LearnerOptions, type LearnerReady } from "./learner.js";
export { limits } from "./limits.js";
export * from "./messages.js";
export { Observer, type ObserverOptions } from "./observer.js";
export type { Deadlines, Settled } from "./outstanding.js";
export { Proposer } from "./proposer.js";
export type { DigestOf, ProposerOptions } from "./proposer-options.js";
export {
  type AcceptorSet,
  acceptorsMax,
  addAcceptor,
  countAcceptors,
  majorities,
  type QuorumSizes,
  type QuorumSystem,
  quorumsIntersect,
  ThresholdQuorums,
} from "./quorum.js";
export { Replica, type ReplicaOptions, type ReplicaState, type StateMachineHost } from "./replica.js";
export { ResultSamples, type Sample, type SampleOptions, type SamplesState } from "./result-samples.js";
export {
  type ActorRole,
  actorAddress,
  addressesOf,
  clientAddress,
  indexOf,
  observerAddress,
  type Topology,
} from "./roles.js";
export type { Divergence } from "./sample-exchange.js";
export { type ApplyCommands, type SessionState, SessionTable, type StoredResults } from "./sessions.js";
export type { PublishedSnapshot, SnapshotPolicy } from "./snapshot-duty.js";
export { Syncs } from "./syncs.js";
export { Upkeep, type UpkeepOptions, type UpkeepReady } from "./upkeep.js";
export type { DigestMismatch } from "./vote-count.js";
