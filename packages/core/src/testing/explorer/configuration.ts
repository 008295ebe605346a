import type { QuorumSizes } from "../../quorum.js";

/** What a proposer may do in the explored space. */
export interface ProposerBounds {
  /** How often it may campaign, over all its lives. */
  readonly campaignsMax: number;
  /** How often it may start again, with a new incarnation and nothing else. */
  readonly restartsMax: number;
  /** What clients propose to it, in this order and once each: numbers of commands. */
  readonly proposals: readonly number[];
}

/**
 * A space of states. What is not bounded here happens without bounds: messages are lost, duplicated and reordered,
 * acceptors and learners start again, and time passes.
 */
export interface Configuration {
  readonly name: string;
  readonly about: string;
  readonly proposers: readonly ProposerBounds[];
  readonly acceptors: number;
  readonly quorums: QuorumSizes;
  readonly learners: number;
  /** With `learners: 0` and nobody deaf, acceptors may forget whatever is chosen. */
  readonly deafLearners: number;
  readonly mode: "basic" | "multi";
  /** Learners get values from the leader, and acceptors tell digests. */
  readonly digest: boolean;
  readonly batchCommandsMax: number;
  readonly pipelineBatchesMax: number;
  readonly promisePartBytesMax: number;
}

/** A proposer that campaigns once and never restarts. */
function campaigner(...proposals: number[]): ProposerBounds {
  return { campaignsMax: 1, restartsMax: 0, proposals };
}

const plain = {
  acceptors: 3,
  quorums: { prepare: 2, accept: 2 },
  learners: 0,
  deafLearners: 1,
  mode: "multi",
  digest: false,
  batchCommandsMax: 2,
  pipelineBatchesMax: 1,
  promisePartBytesMax: 1 << 16,
} as const;

const fourAcceptors = { ...plain, acceptors: 4, quorums: { prepare: 3, accept: 2 } } as const;

/** Spaces of up to some hundred thousand states, a second or some each: together they are one test. */
export const smallConfigurations: readonly Configuration[] = [
  {
    ...plain,
    name: "duel",
    about: "two proposers with a command each",
    proposers: [campaigner(1), campaigner(1)],
  },
  {
    ...plain,
    name: "two-instances",
    about: "batches [2] and [1][1], one at a time",
    proposers: [campaigner(2), campaigner(1, 1)],
  },
  {
    ...plain,
    name: "three-instances",
    about: "batches [3] and [1][2], one at a time",
    batchCommandsMax: 3,
    proposers: [campaigner(3), campaigner(1, 2)],
  },
  {
    ...plain,
    name: "restart",
    about: "a proposer leads twice, in one life or in two",
    proposers: [{ ...campaigner(1, 1), campaignsMax: 2, restartsMax: 1 }],
  },
  {
    ...plain,
    name: "trim",
    about: "acceptors forget what is chosen",
    deafLearners: 0,
    proposers: [campaigner(1, 1, 1), campaigner()],
  },
  {
    ...plain,
    name: "parts",
    about: "Promises in parts",
    promisePartBytesMax: 1,
    // Whoever has not heard of the second part takes its instance for free: it needs something to put there.
    proposers: [campaigner(1, 1), campaigner(1)],
  },
  {
    ...plain,
    name: "basic",
    about: "Basic Paxos: phase 1 for every batch",
    mode: "basic",
    proposers: [{ ...campaigner(1, 1), campaignsMax: 2 }],
  },
  {
    ...plain,
    name: "learner-of-two-ballots",
    about: "a learner that counts, fetches, reports and restarts, while its leader leads twice",
    learners: 1,
    deafLearners: 0,
    proposers: [{ ...campaigner(1), campaignsMax: 2 }],
  },
  {
    ...plain,
    name: "learners",
    about: "two learners that publish, and acceptors that trim by it",
    learners: 2,
    deafLearners: 0,
    proposers: [campaigner(1)],
  },
  {
    ...fourAcceptors,
    name: "four-acceptors",
    about: "phase-1 quorums of 3, phase-2 quorums of 2",
    proposers: [campaigner(1), campaigner()],
  },
  {
    ...fourAcceptors,
    name: "four-acceptors-2-3",
    about: "phase-1 quorums of 2, phase-2 quorums of 3",
    quorums: { prepare: 2, accept: 3 },
    proposers: [campaigner(1), campaigner()],
  },
];

/** Spaces of up to 22 million states and two minutes; `learner`, `digest` and `two-learners` do not end. */
export const largeConfigurations: readonly Configuration[] = [
  {
    ...plain,
    name: "learner",
    about: "a learner that counts, fetches, reports and restarts",
    learners: 1,
    deafLearners: 0,
    proposers: [campaigner(2), campaigner()],
  },
  {
    ...plain,
    name: "three-ballots",
    about: "a proposer leads before and after another",
    proposers: [{ ...campaigner(1), campaignsMax: 2 }, campaigner()],
  },
  {
    ...plain,
    name: "digest",
    about: "a learner that is told values by the leader and digests by acceptors",
    digest: true,
    learners: 1,
    proposers: [campaigner(1), campaigner(1)],
  },
  {
    ...plain,
    name: "pipeline",
    about: "two Accepts in flight, of one proposer",
    pipelineBatchesMax: 2,
    proposers: [{ ...campaigner(1, 1), campaignsMax: 2 }],
  },
  {
    ...plain,
    name: "two-instances-split",
    about: "batches [1][1] and [2], one at a time",
    proposers: [campaigner(1, 1), campaigner(2)],
  },
  {
    ...plain,
    name: "two-instances-pipelined",
    about: "batches [2] and [1][1], two at a time",
    pipelineBatchesMax: 2,
    proposers: [campaigner(2), campaigner(1, 1)],
  },
  {
    ...plain,
    name: "three-instances-two-batches",
    about: "batches [2][1] and [1][2], one at a time",
    proposers: [campaigner(2, 1), campaigner(1, 2)],
  },
  {
    ...fourAcceptors,
    name: "four-acceptors-duel",
    about: "phase-1 quorums of 3, phase-2 quorums of 2, a command each",
    proposers: [campaigner(1), campaigner(1)],
  },
  {
    ...plain,
    name: "pipeline-duel",
    about: "two Accepts in flight while another proposer takes over",
    pipelineBatchesMax: 2,
    proposers: [campaigner(1, 1), campaigner()],
  },
  {
    ...plain,
    name: "restart-duel",
    about: "a proposer comes back in a new incarnation, against another",
    proposers: [{ ...campaigner(1), campaignsMax: 2, restartsMax: 1 }, campaigner()],
  },
  {
    ...plain,
    name: "two-learners",
    about: "two learners on which trimming waits",
    learners: 2,
    deafLearners: 0,
    proposers: [campaigner(1, 1)],
  },
  {
    ...plain,
    name: "basic-duel",
    about: "Basic Paxos: two proposers with commands",
    mode: "basic",
    proposers: [campaigner(1, 1), campaigner(1)],
  },
  {
    ...plain,
    name: "three-ballots-duel",
    about: "three ballots of two proposers with a command each",
    proposers: [{ ...campaigner(1), campaignsMax: 2 }, campaigner(1)],
  },
];

/** Two promises and two votes of four acceptors need not meet: this space holds a violation. */
export const disjointQuorums: Configuration = {
  ...fourAcceptors,
  name: "disjoint-quorums",
  about: "quorums of 2 and 2 out of 4: must be found unsafe",
  quorums: { prepare: 2, accept: 2 },
  proposers: [campaigner(1), campaigner(1)],
};
