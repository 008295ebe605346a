import type { Ballot } from "./ballot.js";
import type { Batch, Segment } from "./batch.js";
import type { Sample } from "./result-samples.js";

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
 * With digests the Accept goes to the learners too, and Accepted carries no values. With a distinguished learner
 * Accepted goes to that one only, which tells the others with Chosen.
 *
 * Leadership: Heartbeat (leader to everyone), Granted (an acceptor to the leader), Refuse (an acceptor has promised
 * higher, has granted a lease to another, or has trimmed), Release (a leader hands over), NotLeader (to a client).
 * Reading: Read and ReadReady (a client and the leader), Query and Answer (a client and a learner).
 * Catching up: Fetch and Trimmed (a learner that misses instances), Progress (a learner to the proposers).
 * Learners among each other: Sample (have our machines returned the same?), StandIn (answer for me while I pause).
 * Observers (replicas in users' threads): Follow (to the learners), Followed and Chosen (from the one that feeds it).
 * Sessions: SessionOpened, SessionExpired and SequenceGap (a learner to a client).
 */

/** The name of an actor or client: `proposer-0`, `acceptor-1`, `learner-2`, `client-7`. */
export type Address = string;

/** Client to proposer, or a proposer that does not lead to the one that does: put these into the log. */
export interface ProposeMessage {
  readonly type: "propose";
  readonly segments: readonly Segment[];
  /** A proposer hands it on for the clients that the segments name; it is never handed on again. */
  readonly forwarded: boolean;
}

/** Proposer to client: talk to another. `ballot` is the highest that this proposer knows of. */
export interface NotLeaderMessage {
  readonly type: "notLeader";
  readonly ballot: Ballot;
  /** Index of the proposer that leads as far as this one knows; -1 when it knows of none. */
  readonly leader: number;
  /** What was proposed has been handed on to that leader: it need not be sent again. */
  readonly forwarded: boolean;
}

/** Phase 1a, for every instance from `firstInstance` on; or, in a ballot that is promised, for the rest of a Promise. */
export interface PrepareMessage {
  readonly type: "prepare";
  readonly ballot: Ballot;
  readonly firstInstance: number;
  /** The ballot of a leader that has handed over to this one: its lease is void. */
  readonly released: Ballot | null;
}

/** The batch that some values were proposed in: digests of different batches are never compared. */
export interface DigestSource {
  readonly firstInstance: number;
  readonly count: number;
  readonly digest: number;
}

/** What an acceptor has accepted: the ballot is the one that the value was accepted in, never the promised one. */
export interface AcceptedEntry {
  readonly ballot: Ballot;
  readonly firstInstance: number;
  readonly count: number;
  readonly batch: Batch;
  /** The digest of the batch that these values were proposed in, where digests are in use. */
  readonly source: DigestSource | null;
}

/** Phase 1b. What does not fit into one message is asked for by further Prepares of the same ballot. */
export interface PromiseMessage {
  readonly type: "promise";
  readonly ballot: Ballot;
  /** As the Prepare said: what was accepted from here on... */
  readonly firstInstance: number;
  /** Everything below is chosen and gone from here; it is not "not accepted". */
  readonly trimmedBelow: number;
  readonly accepted: readonly AcceptedEntry[];
  /** ...to here, this instance excluded; -1 when there is nothing more. */
  readonly continuesAt: number;
}

/** Answer to a Prepare or Accept of `ballot` that the acceptor may not honour. */
export interface RefuseMessage {
  readonly type: "refuse";
  readonly ballot: Ballot;
  readonly promised: Ballot;
  readonly trimmedBelow: number;
  /** When the lease of another proposer ends that was in the way of a Prepare; 0 when none was. */
  readonly leaseUntil: number;
  /** Only storage was in the way of an Accept: it has no room for the value. */
  readonly full: boolean;
}

/** Phase 2a, for the instances from `firstInstance` to the batch's last. With digests, learners get it too. */
export interface AcceptMessage {
  readonly type: "accept";
  readonly ballot: Ballot;
  readonly firstInstance: number;
  readonly batch: Batch;
  /** A published snapshot holds what is below: acceptors may forget it. */
  readonly trimBelow: number;
  /** An acceptor that accepts refuses every other proposer's Prepare until then: a time sampled before sending. */
  readonly leaseUntil: number;
  /** Index of the learner that is told, and tells the others; -1: all are told. */
  readonly distinguished: number;
  /** With digests: what stands for the values in Accepted. */
  readonly source: DigestSource | null;
}

/** Phase 2b. It covers exactly these instances. Without digests learners are told the values; the leader never is. */
export interface AcceptedMessage {
  readonly type: "accepted";
  readonly ballot: Ballot;
  readonly firstInstance: number;
  readonly count: number;
  readonly batch: Batch | null;
  readonly source: DigestSource | null;
  /** Until when the acceptor has granted the leader its lease. */
  readonly leaseUntil: number;
  /** As the Accept said. */
  readonly distinguished: number;
}

/**
 * Distinguished learner to the others, and any learner to the observers that it feeds: these values were chosen in this
 * ballot.
 */
export interface ChosenMessage {
  readonly type: "chosen";
  readonly ballot: Ballot;
  readonly firstInstance: number;
  readonly count: number;
  readonly batch: Batch;
}

/** Leader to acceptors, other proposers and learners: I lead. */
export interface HeartbeatMessage {
  readonly type: "heartbeat";
  readonly ballot: Ballot;
  /** As in Accept. */
  readonly leaseUntil: number;
  /** Counted from 1: an answer to a round shows that the leader was not replaced when the round was sent. */
  readonly round: number;
  /** Every instance below is chosen: a learner that has not learned it asks. */
  readonly chosenBelow: number;
  /** As in Accept. */
  readonly distinguished: number;
}

/** Acceptor to leader: I have promised nothing above your ballot, and refuse others until then. */
export interface GrantedMessage {
  readonly type: "granted";
  readonly ballot: Ballot;
  readonly leaseUntil: number;
  readonly round: number;
}

/** Leader to its successor: my ballot and its lease are void. I propose nothing and answer no reads any more. */
export interface ReleaseMessage {
  readonly type: "release";
  readonly ballot: Ballot;
}

/** The number of a Read that asks for nothing but whether this proposer leads: no read has it. */
export const probeId = 0;

/** Client to leader: from which instance on may a read be answered that begins now? */
export interface ReadMessage {
  readonly type: "read";
  /** {@link probeId}, or the client's own number. */
  readonly id: number;
}

/** Leader to client: a learner that has applied everything below `readBelow` may answer the read. */
export interface ReadReadyMessage {
  readonly type: "readReady";
  readonly id: number;
  /** The leader's: from it a client sees that another one leads, or another life of the same one. */
  readonly ballot: Ballot;
  readonly readBelow: number;
  /** So many acceptors have no room that nothing can be chosen. */
  readonly storageFull: boolean;
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

/** Stands for an instance at which nothing is pinned. */
export const unpinned = -1;

/** Learner to proposers: everything below `appliedBelow` is applied here. */
export interface ProgressMessage {
  readonly type: "progress";
  readonly appliedBelow: number;
  /**
   * What follows is chosen, but the acceptors' votes for it are split over ballots: only if it is proposed again in
   * a new one can it be learned here.
   */
  readonly stuck: boolean;
  /** A snapshot that this learner has published holds what is below: acceptors may forget it. 0 when there is none. */
  readonly trimBelow: number;
  /** It is restoring a snapshot, and will need the log from this instance on; {@link unpinned} when it is not. */
  readonly pinnedAt: number;
}

/** Learner to the other learners: what its state machine has returned, by samples. Also a sign that it lives. */
export interface SampleMessage {
  readonly type: "sample";
  /** Everything below is applied here. */
  readonly appliedBelow: number;
  /** In the order of their instances; the last one is the last one below `appliedBelow`. */
  readonly samples: readonly Sample[];
}

/** Learner to another learner: answer in my place from now on, or not any more. */
export interface StandInMessage {
  readonly type: "standIn";
  readonly on: boolean;
}

/** Observer to learner: tell me how far you are, and feed me from now on, or do not. Said again and again. */
export interface FollowMessage {
  readonly type: "follow";
  /** Everything below is applied at the observer. It holds nothing back. */
  readonly appliedBelow: number;
  /** The learner is to send on what it learns, for a while; to one that is not to, this is only a question. */
  readonly feed: boolean;
}

/** Learner to observer: everything below `chosenBelow` is chosen and known here; what I learn from now on, I send on. */
export interface FollowedMessage {
  readonly type: "followed";
  readonly chosenBelow: number;
}

/** Learner to client: results of consecutive sequence numbers, one each, in order. */
export interface ResponseMessage {
  readonly type: "response";
  readonly session: number;
  readonly firstSequence: number;
  readonly results: Results;
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

/** Results of consecutive commands, one each: an array, or whatever is as good as one, such as an array of numbers. */
export interface Results {
  readonly length: number;
  readonly [position: number]: Result;
  /** Those from `start` on, `end` excluded. */
  slice(start: number, end: number): Results;
}

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
  | AnswerMessage
  | HeartbeatMessage
  | GrantedMessage
  | ReleaseMessage
  | ChosenMessage
  | ReadMessage
  | ReadReadyMessage
  | SampleMessage
  | StandInMessage
  | FollowMessage
  | FollowedMessage;

export type MessageType = Message["type"];

/** A message on its way out: the host encodes it once, however many receive it. */
export interface Envelope {
  readonly to: readonly Address[];
  readonly message: Message;
}
