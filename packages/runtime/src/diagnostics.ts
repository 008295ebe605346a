/**
 * The channels of `node:diagnostics_channel` on which Synod tells what happens. A channel belongs to one thread: each
 * message below is published on the thread named with it, and nothing is made for a channel without subscribers.
 */
import { type Channel, channel, tracingChannel } from "node:diagnostics_channel";

/** On `synod:batch`, on a client's thread: commands have left for the leader. */
export interface BatchMessage {
  readonly client: string;
  /** They have consecutive numbers in the client's session. */
  readonly firstSequence: number;
  readonly commands: number;
  readonly bytes: number;
}

/** On `synod:apply`, on a learner's thread: a batch, or a part of one, was applied. */
export interface ApplyMessage {
  readonly learner: string;
  readonly firstInstance: number;
  /** Instances, which is commands and what opens sessions and keeps them alive. */
  readonly count: number;
  /** The leader's stamp, in milliseconds. */
  readonly timeMs: number;
  /** From when it was chosen until it was applied, in milliseconds. */
  readonly ms: number;
}

/** On `synod:snapshot`, on a learner's thread: a snapshot was taken or restored, or failed. */
export interface SnapshotMessage {
  readonly learner: string;
  readonly phase: "snapshot" | "restore";
  /** What `snapshot()` or `restore()` threw; undefined when it succeeded. */
  readonly error?: unknown;
  /** Everything below this instance is in it; of one that succeeded. */
  readonly instance?: number;
  readonly bytes?: number;
  readonly ms?: number;
}

/** What is passed along with the five events of one propose on `tracing:synod:propose:*`, on the client's thread. */
export interface ProposeContext {
  readonly client: string;
  readonly command: unknown;
  /** As it settles. */
  result?: unknown;
  error?: unknown;
}

type Name = "batch" | "apply" | "snapshot" | "leader" | "actor" | "divergence";

export const channels: Readonly<Record<Name, Channel>> = {
  batch: channel("synod:batch"),
  apply: channel("synod:apply"),
  snapshot: channel("synod:snapshot"),
  /** On the thread of the cluster: its events, with the cluster. */
  leader: channel("synod:leader"),
  actor: channel("synod:actor"),
  divergence: channel("synod:divergence"),
};

const proposing = tracingChannel<unknown, ProposeContext>("synod:propose");

/** Does anybody trace propose() on this thread? To be asked once per turn. */
export function isProposeTraced(): boolean {
  const { start, end, asyncStart, asyncEnd, error } = proposing;
  return (
    start.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    error.hasSubscribers ||
    asyncStart.hasSubscribers ||
    end.hasSubscribers
  );
}

export function tracePropose<T>(context: ProposeContext, propose: () => Promise<T>): Promise<T> {
  return proposing.tracePromise(propose, context);
}
