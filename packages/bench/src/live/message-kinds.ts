import type { SentFrame } from "@synod/runtime";
import { roleOf } from "../message-groups.js";
import type { MessageTone } from "./messages.js";

/** Who there is, to say who a message goes to. */
export interface Cast {
  readonly clients: readonly string[];
  readonly proposers: readonly string[];
  readonly acceptors: readonly string[];
  readonly learners: readonly string[];
  readonly leader: string | null;
}

/** A kind of message that the chart has a line for. */
export interface MessageKind {
  readonly type: SentFrame["type"];
  /** The role of its senders: a client's request is another line than what a proposer forwards. */
  readonly sender: string;
  readonly label: string;
  readonly tone: MessageTone;
  /** Whom the protocol sends it to. */
  readonly receivers: (cast: Cast) => readonly string[];
}

const leaderOf = ({ leader, proposers }: Cast): readonly string[] => (leader === null ? proposers : [leader]);

/** In the order in which an instance takes them. */
export const messageKinds: readonly MessageKind[] = [
  { type: "propose", sender: "client", label: "Request", tone: "client", receivers: leaderOf },
  {
    type: "notLeader",
    sender: "proposer",
    label: "NotLeader",
    tone: "trouble",
    receivers: cast => cast.clients,
  },
  { type: "propose", sender: "proposer", label: "Forward", tone: "client", receivers: leaderOf },
  {
    type: "prepare",
    sender: "proposer",
    label: "Prepare",
    tone: "election",
    receivers: cast => cast.acceptors,
  },
  { type: "promise", sender: "acceptor", label: "Promise", tone: "election", receivers: leaderOf },
  { type: "refuse", sender: "acceptor", label: "Refuse", tone: "trouble", receivers: cast => cast.proposers },
  {
    type: "accept",
    sender: "proposer",
    label: "Accept",
    tone: "consensus",
    receivers: cast => cast.acceptors,
  },
  {
    type: "accepted",
    sender: "acceptor",
    label: "Accepted",
    tone: "consensus",
    receivers: cast => [...leaderOf(cast), ...cast.learners],
  },
  { type: "fetch", sender: "learner", label: "Fetch", tone: "trouble", receivers: cast => cast.acceptors },
  { type: "response", sender: "learner", label: "Response", tone: "client", receivers: cast => cast.clients },
  {
    type: "heartbeat",
    sender: "proposer",
    label: "Heartbeat",
    tone: "lease",
    receivers: cast => [...cast.proposers.filter(name => name !== cast.leader), ...cast.acceptors],
  },
  { type: "granted", sender: "acceptor", label: "Granted", tone: "lease", receivers: leaderOf },
];

export function toneOf(type: SentFrame["type"], from: string): MessageTone {
  const kind = messageKinds.find(({ type: own, sender }) => own === type && sender === roleOf(from));
  return kind?.tone ?? "trouble";
}
