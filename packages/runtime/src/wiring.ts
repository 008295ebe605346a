import type { MessagePort } from "node:worker_threads";
import { type ActorRole, type Address, actorAddress, indexOf, type Topology } from "@synod/core";
import type { ConnectionEnds } from "./actor.js";
import type { Entrance } from "./handle.js";
import { runtimeLimits } from "./limits.js";
import {
  createConnection,
  createDoorbell,
  type Doorbell,
  type MailboxKind,
  transferListOf,
} from "./mailbox/index.js";
import type { ThreadsMode } from "./options.js";

/** Which role says anything to which, and so which connections there are between actors. */
const speaksTo: Record<ActorRole, readonly ActorRole[]> = {
  proposer: ["acceptor", "proposer", "learner"],
  acceptor: ["proposer", "learner"],
  learner: ["acceptor", "proposer", "learner"],
};

/** An actor before its thread runs: its name and its ends of all connections. The doorbell is its thread's. */
export interface WiredActor extends Entrance {
  /** The name of the thread that hosts it. */
  readonly thread: string;
  readonly role: ActorRole;
  readonly index: number;
  readonly connections: ConnectionEnds[];
}

/** The connections between one client and one actor, from both sides. */
export interface ClientConnection {
  readonly atActor: ConnectionEnds;
  readonly atClient: Required<ConnectionEnds>;
}

const capacities = { controlBytes: runtimeLimits.controlLaneBytes, bulkBytes: runtimeLimits.bulkLaneBytes };

/** The name of the thread that hosts an actor: its own, where it has the thread for itself. */
function threadOf(mode: ThreadsMode, role: ActorRole, index: number): string {
  switch (mode) {
    case "isolated":
      return actorAddress(role, index);
    case "compact":
      return `thread-${index}`;
    case "single":
      return "thread-0";
  }
}

/** Lays the connections between all actors of a cluster, those that share a thread too. */
export function wireActors(topology: Topology, kind: MailboxKind, mode: ThreadsMode): WiredActor[] {
  const counts = { proposer: topology.proposers, acceptor: topology.acceptors, learner: topology.learners };
  const actors: WiredActor[] = [];
  const doorbells = new Map<string, Doorbell>();
  for (const role of ["proposer", "acceptor", "learner"] as const) {
    for (let index = 0; index < counts[role]; index++) {
      const name = actorAddress(role, index);
      const thread = threadOf(mode, role, index);
      const doorbell = doorbells.get(thread) ?? createDoorbell();
      doorbells.set(thread, doorbell);
      actors.push({ name, thread, role, index, doorbell, connections: [] });
    }
  }
  for (const sender of actors) {
    for (const receiver of actors) {
      const connection = connect(sender, receiver, kind);
      if (connection === undefined) continue;
      sender.connections.push(connection.atSender);
      receiver.connections.push(connection.atReceiver);
    }
  }
  return actors;
}

/** New connections between an actor and the others, both ways: what it opens, and what each of them is to open. */
export function rewireActor(
  actor: WiredActor,
  others: readonly WiredActor[],
  kind: MailboxKind,
): { readonly atActor: ConnectionEnds[]; readonly atOthers: [other: Address, ends: ConnectionEnds][] } {
  const atActor: ConnectionEnds[] = [];
  const atOthers: [Address, ConnectionEnds][] = [];
  for (const other of others) {
    const there = connect(actor, other, kind);
    const back = connect(other, actor, kind);
    if (there !== undefined) {
      atActor.push(there.atSender);
      atOthers.push([other.name, there.atReceiver]);
    }
    if (back !== undefined) {
      atActor.push(back.atReceiver);
      atOthers.push([other.name, back.atSender]);
    }
  }
  return { atActor, atOthers };
}

/** The two ends of a connection, if the one speaks to the other. */
function connect(
  sender: WiredActor,
  receiver: WiredActor,
  kind: MailboxKind,
): { readonly atSender: ConnectionEnds; readonly atReceiver: ConnectionEnds } | undefined {
  if (sender === receiver || !speaksTo[sender.role].includes(receiver.role)) return undefined;
  const { sending, receiving } = createConnection(kind, receiver.doorbell, capacities);
  return {
    atSender: { peer: receiver.name, sending },
    atReceiver: { peer: sender.name, receiving },
  };
}

/** A connection each way between a client and an actor. Acceptors never talk to clients. */
export function wireClient(
  client: Address,
  clientDoorbell: Doorbell,
  actor: Entrance,
  kind: MailboxKind,
): ClientConnection {
  const there = createConnection(kind, actor.doorbell, capacities);
  const back = createConnection(kind, clientDoorbell, capacities);
  return {
    atActor: { peer: client, sending: back.sending, receiving: there.receiving },
    atClient: { peer: actor.name, sending: there.sending, receiving: back.receiving },
  };
}

/**
 * A connection each way between a replica and an actor. It only asks, in small messages; learners and acceptors answer
 * with values, and proposers with little.
 */
export function wireReplica(replica: Address, replicaDoorbell: Doorbell, actor: Entrance): ClientConnection {
  const { controlLaneBytes, bulkLaneBytes, smallLaneBytes } = runtimeLimits;
  const bulkBytes = indexOf("proposer", actor.name) < 0 ? bulkLaneBytes : smallLaneBytes;
  const small = { controlBytes: smallLaneBytes, bulkBytes: smallLaneBytes };
  const there = createConnection("ring", actor.doorbell, small);
  const back = createConnection("ring", replicaDoorbell, { controlBytes: controlLaneBytes, bulkBytes });
  return {
    atActor: { peer: replica, sending: back.sending, receiving: there.receiving },
    atClient: { peer: actor.name, sending: there.sending, receiving: back.receiving },
  };
}

/** The ports that must be transferred with these ends. */
export function portsOf(connections: readonly ConnectionEnds[]): MessagePort[] {
  return connections.flatMap(({ sending, receiving }) => [
    ...(sending === undefined ? [] : transferListOf(sending)),
    ...(receiving === undefined ? [] : transferListOf(receiving)),
  ]);
}
