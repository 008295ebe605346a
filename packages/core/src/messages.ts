import type { Ballot } from "./ballot.js";
import type { Batch, Segment } from "./batch.js";

/*
 * Who says what to whom. Instances go from left to right in a stable leader's day:
 *
 *   Client        Proposer          Acceptors         Learners
 *     |  Propose     |                  |                 |
 *     |------------->|  Prepare         |                 |     phase 1: once per leader (Multi-Paxos)
 *     |              |----------------->|                 |              or once per instance (Basic Paxos)
 *     |              |          Promise |                 |
 *     |              |<-----------------|                 |
 *     |              |  Accept          |                 |     phase 2: once per batch
 *     |              |----------------->|  Accepted       |
 *     |              |         Accepted |---------------->|
 *     |              |<-----------------|                 |     a quorum in one ballot: chosen
 *     |              |                  |                 |
 *     |<-------------------------------------- Response --|     applied
 *
 * Besides: Refuse (an acceptor has promised higher, or has trimmed), NotLeader (to a client), Fetch and Trimmed
 * (a learner that misses instances), Progress (a learner to the proposers), SessionOpened, SessionExpired and
 * SequenceGap (a learner to a client), Query and Answer (a client and a learner).
 */

/** The name of an actor or client: `proposer-0`, `acceptor-1`, `learner-2`, `client-7`. */
export type Address = string;

/** Client to proposer: put these into the log. */
export interface ProposeMessage {
  readonly type: "propose";
  readonly segments: readonly Segment[];
}

/** Proposer to client: propose elsewhere. `ballot` is the highest that this proposer knows of. */
export interface NotLeaderMessage {
  readonly type: "notLeader";
  readonly ballot: Ballot;
}

/** Phase 1a, for every instance from `firstInstance` on. */
export interface PrepareMessage {
  readonly type: "prepare";
  readonly ballot: Ballot;
  readonly firstInstance: number;
}

/** What an acceptor has accepted: the ballot is the one that the value was accepted in, never the promised one. */
export interface AcceptedEntry {
  readonly ballot: Ballot;
  readonly firstInstance: number;
  readonly count: number;
  readonly batch: Batch;
}

/** Phase 1b, in `parts` messages that count only together. */
export interface PromiseMessage {
  readonly type: "promise";
  readonly ballot: Ballot;
  readonly firstInstance: number;
  /** Everything below is chosen and gone from here; it is not "not accepted". */
  readonly trimmedBelow: number;
  readonly part: number;
  readonly parts: number;
  readonly accepted: readonly AcceptedEntry[];
}

/** Answer to a Prepare or Accept of `ballot` that the acceptor may not honour. */
export interface RefuseMessage {
  readonly type: "refuse";
  readonly ballot: Ballot;
  readonly promised: Ballot;
  readonly trimmedBelow: number;
}

/** Phase 2a, for the instances from `firstInstance` to the batch's last. */
export interface AcceptMessage {
  readonly type: "accept";
  readonly ballot: Ballot;
  readonly firstInstance: number;
  readonly batch: Batch;
  /** Every learner has applied what is below: acceptors may forget it. */
  readonly trimBelow: number;
}

/** Phase 2b. It covers exactly these instances. Learners are told the values, the leader is not. */
export interface AcceptedMessage {
  readonly type: "accepted";
  readonly ballot: Ballot;
  readonly firstInstance: number;
  readonly count: number;
  readonly batch: Batch | null;
}

/** Learner to acceptor: tell me again what you have accepted from `firstInstance` on. */
export interface FetchMessage {
  readonly type: "fetch";
  readonly firstInstance: number;
}

/** Acceptor to learner: what you asked for is below `trimmedBelow` and gone from here. */
export interface TrimmedMessage {
  readonly type: "trimmed";
  readonly trimmedBelow: number;
}

/** Learner to proposers: everything below `appliedBelow` is applied here. */
export interface ProgressMessage {
  readonly type: "progress";
  readonly appliedBelow: number;
}

/** Learner to client: results of consecutive sequence numbers, one each, in order. */
export interface ResponseMessage {
  readonly type: "response";
  readonly session: number;
  readonly firstSequence: number;
  readonly results: readonly Result[];
  /** Everything below is applied at the answering learner. */
  readonly appliedBelow: number;
}

/** Learner to client: your session is open under this identity. */
export interface SessionOpenedMessage {
  readonly type: "sessionOpened";
  readonly session: number;
}

/** Learner to client: there is no such session (any more). */
export interface SessionExpiredMessage {
  readonly type: "sessionExpired";
  readonly session: number;
}

/** Learner to client: go back to `expected`; what was chosen in `ballot` above it was skipped. */
export interface SequenceGapMessage {
  readonly type: "sequenceGap";
  readonly session: number;
  readonly expected: number;
  readonly ballot: Ballot;
}

/** Client to learner: read, once everything below `appliedBelow` is applied. */
export interface QueryMessage {
  readonly type: "query";
  readonly id: number;
  readonly appliedBelow: number;
  readonly bytes: Uint8Array;
}

/** Learner to client. */
export interface AnswerMessage {
  readonly type: "answer";
  readonly id: number;
  readonly result: Result;
  readonly appliedBelow: number;
}

/** What a state machine returned, or how it failed. Opaque to the protocol. */
export type Result = unknown;

/** Stands in the place of a result when the state machine threw. */
export class ApplyFailure {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export type Message =
  | ProposeMessage
  | NotLeaderMessage
  | PrepareMessage
  | PromiseMessage
  | RefuseMessage
  | AcceptMessage
  | AcceptedMessage
  | FetchMessage
  | TrimmedMessage
  | ProgressMessage
  | ResponseMessage
  | SessionOpenedMessage
  | SessionExpiredMessage
  | SequenceGapMessage
  | QueryMessage
  | AnswerMessage;

export type MessageType = Message["type"];

/** A message on its way out: the host encodes it once, however many receive it. */
export interface Envelope {
  readonly to: readonly Address[];
  readonly message: Message;
}
