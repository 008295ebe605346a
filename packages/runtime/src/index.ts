export type { Inspection, MailboxStatus } from "./actor.js";
export type { ActorStatus } from "./actor-status.js";
export type { Client } from "./client.js";
export { Cluster, type ClusterStatus } from "./cluster.js";
export { connect } from "./connect.js";
export type { ApplyMessage, BatchMessage, ProposeContext, SnapshotMessage } from "./diagnostics.js";
export { type Outcome, SynodError, type SynodErrorCode } from "./errors.js";
export type {
  ActorDown,
  ActorFailed,
  ActorMessage,
  ActorUp,
  ClusterEvents,
  Divergence,
  DivergenceMessage,
  LeaderChanged,
  LeaderMessage,
  SnapshotFailed,
} from "./events.js";
export type { Faults } from "./faults.js";
export type { ClusterHandle } from "./handle.js";
export type { EventLoopDelay } from "./metrics/event-loop-delay.js";
export { type HistogramSnapshot, quantileOf } from "./metrics/histogram.js";
export type {
  AcceptorMetricsSnapshot,
  ActorMetricsSnapshot,
  ClientMetricsSnapshot,
  ClusterMetrics,
  LearnerMetricsSnapshot,
  ProposerMetricsSnapshot,
} from "./metrics/snapshot.js";
export type {
  BytesOptions,
  CallOptions,
  ClusterOptions,
  EntriesOptions,
  JoinOptions,
  QueryOptions,
  ThreadsMode,
  WaitOptions,
} from "./options.js";
export { type CommandFailure, ProposeAllError } from "./propose-all-error.js";
export type { ReplicaEntry } from "./replica/entry-tail.js";
export { joinReplica } from "./replica/join-replica.js";
export type { Replica } from "./replica/replica.js";
export type { ReplicaEvents } from "./replica/replica-events.js";
export type { ReplicaStatus, SnapshotStatus } from "./role-host.js";
export type {
  AnswerOf,
  AnyStateMachine,
  AppliedAt,
  BytesOf,
  BytesResultOf,
  BytesStateMachine,
  CommandBatch,
  CommandOf,
  QueriedAt,
  QueryOf,
  ResultOf,
  StateMachine,
  StateMachineClass,
  StateMachineSource,
} from "./state-machine.js";
export type { StorageUsage } from "./storage/storage.js";
export type { SentFrame } from "./trace.js";
export type { Traffic } from "./traffic.js";
