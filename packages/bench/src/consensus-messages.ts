/** What decides how many messages it takes to choose and learn an instance. */
export interface ConsensusShape {
  readonly protocol: "basic-paxos" | "multi-paxos";
  readonly acceptors: number;
  readonly learners: number;
  /** Acceptors tell one learner, which tells the others. */
  readonly distinguishedLearner: boolean;
  /** The leader sends values to the learners that the acceptors tell, and Accepted carries hashes. */
  readonly digest: boolean;
}

/** Learners that acceptors tell by themselves. */
function learnersTold({ learners, distinguishedLearner }: ConsensusShape): number {
  return distinguishedLearner ? 1 : learners;
}

/** Frames that one Accept is sent in: to every acceptor, and with digests to the learners that they tell. */
export function acceptReceivers(shape: ConsensusShape): number {
  return shape.acceptors + (shape.digest ? learnersTold(shape) : 0);
}

/**
 * Frames that an instance takes when nothing fails and every one of its messages is sent once: Prepare and Promise
 * per acceptor (in Multi-Paxos once for all instances, which are not counted here), Accept to its receivers, Accepted
 * from every acceptor to the learners that it tells and to the leader, Chosen to the other learners. With batching it
 * is the number per batch. Of 3 acceptors and 2 learners: Basic Paxos 18, Multi-Paxos 12, with a distinguished
 * learner 10, with digests 14.
 */
export function consensusMessages(shape: ConsensusShape): number {
  const { protocol, acceptors, learners } = shape;
  const prepareAndPromise = protocol === "basic-paxos" ? 2 * acceptors : 0;
  const told = learnersTold(shape);
  return prepareAndPromise + acceptReceivers(shape) + acceptors * (told + 1) + (learners - told);
}
