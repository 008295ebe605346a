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
  readonly proposers: readonly ProposerBounds[];
  readonly acceptors: number;
  readonly quorums: QuorumSizes;
  readonly learners: number;
  /** With `learners: 0` and nobody deaf, acceptors may forget whatever is chosen. */
  readonly deafLearners: number;
  readonly mode: "basic" | "multi";
  readonly batchCommandsMax: number;
  readonly pipelineBatchesMax: number;
  readonly promisePartBytesMax: number;
}

const once: ProposerBounds = { campaignsMax: 1, restartsMax: 0, proposals: [1] };
const majorityOf3: QuorumSizes = { prepare: 2, accept: 2 };
const plain = {
  acceptors: 3,
  quorums: majorityOf3,
  learners: 0,
  deafLearners: 1,
  mode: "multi",
  batchCommandsMax: 2,
  pipelineBatchesMax: 2,
  promisePartBytesMax: 1 << 16,
} as const;

/** The spaces that have a name; `pnpm explore` lists them. */
export const configurations: readonly Configuration[] = [
  {
    ...plain,
    name: "two-instances",
    proposers: [
      { ...once, proposals: [2] },
      { ...once, proposals: [1, 1] },
    ],
  },
  {
    ...plain,
    name: "three-instances",
    proposers: [
      { ...once, proposals: [2, 1] },
      { ...once, proposals: [1, 2] },
    ],
  },
];
