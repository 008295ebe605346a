import { EventEmitter } from "node:events";
import type { Ballot } from "@synod/core";
import { channels } from "./diagnostics.js";

/** A proposer has been elected. */
export interface LeaderChanged {
  readonly leader: string;
  /** Higher than that of every leader before. */
  readonly ballot: Ballot;
}

/** An actor's thread has ended, and has exited. Each actor of the thread has an event of its own. */
export interface ActorDown {
  readonly actor: string;
  /** What all that went down with it have in common. */
  readonly thread: string;
  readonly reason: string;
  /** False when `actorFailed` follows. */
  readonly willRestart: boolean;
}

/** An actor is back after `actorDown`. */
export interface ActorUp {
  readonly actor: string;
  readonly thread: string;
  /** Which life it is: the numbers grow and are never used twice in a process. */
  readonly incarnation: number;
  /** From the end of the last thread until the next one was ready, in milliseconds. */
  readonly downMs: number;
}

/** An actor stays down until the cluster is closed. */
export interface ActorFailed {
  readonly actor: string;
  readonly thread: string;
  readonly reason: string;
}

/** Learners that applied the same log differ: the state machine is not deterministic. */
export interface Divergence {
  /** Up to this instance their results were the same where they were compared. */
  readonly instance: number;
  readonly learners: readonly string[];
}

/** A state machine's `snapshot()` or `restore()` failed. It is tried again. */
export interface SnapshotFailed {
  readonly actor: string;
  readonly phase: "snapshot" | "restore";
  readonly reason: string;
}

/** What a cluster emits, by the name of the event. There is no `error` among them. */
export interface ClusterEvents {
  leaderChanged: [LeaderChanged];
  actorDown: [ActorDown];
  actorUp: [ActorUp];
  actorFailed: [ActorFailed];
  divergence: [Divergence];
  snapshotFailed: [SnapshotFailed];
}

/** Gives an event to whoever listens. Never throws. */
export type Emit = <Name extends keyof ClusterEvents>(name: Name, ...event: ClusterEvents[Name]) => void;

type Listener<Name extends keyof ClusterEvents> = (...event: ClusterEvents[Name]) => void;
type AnyListener = (...event: unknown[]) => void;

/** Node's EventEmitter with the names and types of these events. */
export class ClusterEmitter extends EventEmitter {
  override on<Name extends keyof ClusterEvents>(name: Name, listener: Listener<Name>): this {
    return super.on(name, listener as AnyListener);
  }

  override once<Name extends keyof ClusterEvents>(name: Name, listener: Listener<Name>): this {
    return super.once(name, listener as AnyListener);
  }

  override off<Name extends keyof ClusterEvents>(name: Name, listener: Listener<Name>): this {
    return super.off(name, listener as AnyListener);
  }
}

/** On `synod:leader`, on the cluster's thread. `cluster` is the one that it happened to. */
export interface LeaderMessage extends LeaderChanged {
  readonly cluster: EventEmitter;
}

/** On `synod:actor`, on the cluster's thread: the fields of the event of that name, besides. */
export type ActorMessage = { readonly cluster: EventEmitter } & (
  | ({ readonly event: "actorDown" } & ActorDown)
  | ({ readonly event: "actorUp" } & ActorUp)
  | ({ readonly event: "actorFailed" } & ActorFailed)
);

/** On `synod:divergence`, on the cluster's thread. */
export interface DivergenceMessage extends Divergence {
  readonly cluster: EventEmitter;
}

const channelOf = {
  leaderChanged: channels.leader,
  actorDown: channels.actor,
  actorUp: channels.actor,
  actorFailed: channels.actor,
  divergence: channels.divergence,
  // The learner that it happened to tells of it on its own thread.
  snapshotFailed: undefined,
} as const;

/** Tells those that listen to all clusters of the thread. What a subscriber throws is an uncaught exception. */
function publish<Name extends keyof ClusterEvents>(
  cluster: ClusterEmitter,
  name: Name,
  event: ClusterEvents[Name][0],
): void {
  const channel = channelOf[name];
  if (channel === undefined || !channel.hasSubscribers) return;
  channel.publish(channel === channels.actor ? { cluster, event: name, ...event } : { cluster, ...event });
}

/**
 * Emits, and goes on whatever the listeners do. What one of them throws is thrown again in a microtask: it ends as an
 * uncaught exception, as it does with every EventEmitter that emits by itself.
 */
export function emitOn(emitter: ClusterEmitter): Emit {
  return (name, ...event) => {
    publish(emitter, name, event[0]);
    try {
      emitter.emit(name, ...event);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  };
}
