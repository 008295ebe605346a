import { type ClusterSettings, ClusterSubject } from "../cluster-subject.js";
import { type ConsensusShape, consensusMessages } from "../consensus-messages.js";
import type { Experiment } from "../experiment.js";
import { type BenchOptions, batchCommandsMax } from "../options.js";

/** What makes one row of the table differ from another. */
export interface RowShape {
  readonly protocol: "basic-paxos" | "multi-paxos";
  readonly commandsMax: number;
  readonly batchesMax: number;
  readonly mailbox: "ring" | "port";
  readonly distinguishedLearner: boolean;
  readonly digest: boolean;
}

interface ClusterRow extends Omit<Experiment, "consensusMessages" | "start"> {
  shape(options: BenchOptions): RowShape;
}

const bytesMax = 262_144;

/**
 * All rows' clusters live while one of them is measured. With leases of 500 ms, six idle ones took 8.3% of a core for
 * their heartbeats; with these 3.2%, which is left of actors that look at their doorbells twice a second. An idle
 * cluster of the message-port row takes as much as those six, for its timers.
 */
const leaseMs = 5000;
/** A client whose row waits for its turn need not keep its session alive. */
const sessionTimeoutMs = 3_600_000;

/** A row whose commands go through a cluster. */
export function clusterRow({ shape, ...row }: ClusterRow): Experiment {
  return {
    ...row,
    consensusMessages: options => consensusMessages(consensusShape(shape(options), options)),
    start: (options, trace) => ClusterSubject.start(settings(shape(options), options), trace),
  };
}

/** The row that others are variants of. */
export function batchingShape(options: BenchOptions): RowShape {
  return {
    protocol: "multi-paxos",
    commandsMax: batchCommandsMax(options),
    batchesMax: options.pipeline,
    mailbox: "ring",
    distinguishedLearner: false,
    digest: false,
  };
}

function consensusShape(shape: RowShape, { acceptors, learners }: BenchOptions): ConsensusShape {
  const { protocol, distinguishedLearner, digest } = shape;
  return { protocol, acceptors, learners, distinguishedLearner, digest };
}

/** What no row changes: one proposer, so that none duels, and sizes of batches that do not follow the load. */
function settings(shape: RowShape, options: BenchOptions): ClusterSettings {
  const { commandsMax, batchesMax, mailbox } = shape;
  return {
    ...consensusShape(shape, options),
    proposers: 1,
    batch: { commandsMax, bytesMax, adaptive: false },
    pipeline: { batchesMax },
    mailbox,
    threads: options.threads,
    leaseMs,
    sessionTimeoutMs,
  };
}
