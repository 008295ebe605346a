/** What a sampled command passes on its way, in order; a time is taken at each. Between two of them lies a stage. */
export const stampsOf = [
  /** `propose()` was called. */
  "called",
  /** Its frame has left the client. */
  "sentByClient",
  /** The proposer has taken it from its mailbox. */
  "atProposer",
  /** It leaves the proposer in an Accept. */
  "sentByProposer",
  /** An acceptor has taken that from its mailbox. */
  "atAcceptor",
  /** It is safe in the acceptor's storage, and Accepted leaves. */
  "sentByAcceptor",
  /** The learner has taken the vote from its mailbox that completes the quorum. */
  "atLearner",
  /** It is applied, and the Response leaves. */
  "sentByLearner",
  /** The client has taken that from its mailbox. */
  "atClient",
  /** Its promise, and those beside it, are settled. */
  "settled",
] as const;
