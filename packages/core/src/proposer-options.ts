import type { Batch } from "./batch.js";
import type { QuorumSystem } from "./quorum.js";
import type { Topology } from "./roles.js";

export interface ProposerOptions {
  readonly topology: Topology;
  readonly quorums: QuorumSystem;
  readonly index: number;
  /** From a counter that the process owns; never used twice (see {@link Ballot}). */
  readonly incarnation: number;
  /** `basic` runs both phases for every instance and has no leases, `multi` runs phase 1 once for all that follow. */
  readonly mode: "basic" | "multi";
  readonly batch: {
    readonly commandsMax: number;
    readonly bytesMax: number;
    /** How long a batch that is not full waits for more, in milliseconds. */
    readonly lingerMs: number;
    /** Let the size of batches follow the load, below the caps. */
    readonly adaptive: boolean;
  };
  readonly pipeline: {
    readonly batchesMax: number;
    /** With so many bytes of payload under way nothing is added: what lies in nobody's lane cannot overflow it. */
    readonly bytesMax?: number;
  };
  /** A message without enough answers is sent again after this many milliseconds. */
  readonly retransmitMs: number;
  /** For how long acceptors refuse others, in milliseconds. 0: no leases, no heartbeats and no elections. */
  readonly leaseMs: number;
  /** Acceptors tell one learner, which tells the others. */
  readonly distinguishedLearner: boolean;
  /** Given, learners get values from the leader, and Accepted carries the digest of a batch instead. */
  readonly digest?: DigestOf;
  /** Chance for back-off: from 0 to 1, 1 excluded. */
  readonly random: () => number;
}

/** A number that stands for a batch: equal batches have equal digests, different ones hardly ever. */
export type DigestOf = (batch: Batch) => number;
