import type { Address, Envelope, Message, QuorumSystem, Topology } from "@synod/core";

export interface ClusterOptions {
  readonly topology: Topology;
  readonly quorums: QuorumSystem;
  readonly mode: "basic" | "multi";
  readonly batchCommandsMax: number;
  readonly lingerMs: number;
  readonly adaptive: boolean;
  readonly pipelineBatchesMax: number;
  readonly retransmitMs: number;
  readonly leaseMs: number;
  readonly digest: boolean;
  /** Learners compare their results. */
  readonly samples: boolean;
  readonly distinguishedLearner: boolean;
  readonly fetchAfterMs: number;
  readonly promisePartBytesMax: number;
  readonly retryAfterMs: number;
  readonly windowCommandsMax: number;
  readonly sessionTimeoutMs: number;
  /** Everything below was chosen, applied and trimmed before the script begins. */
  readonly firstInstance: number;
  /** Chance for back-off: from 0 to 1, 1 excluded. */
  readonly random: () => number;
}

/** What an actor did, in words, and what it has to say to the others. */
export interface Step {
  readonly lines: readonly string[];
  readonly send: readonly Envelope[];
}

/** A role with its host. */
export interface ScriptActor {
  readonly address: Address;
  /** When {@link tick} wants to be called. */
  readonly deadline: number;
  receive(from: Address, message: Message, now: number): void;
  tick(now: number): void;
  /** Does what the role says is to be done, but for sending. */
  step(now: number): Step;
  /** A new life, with what was persisted and nothing else. Returns what it begins with. */
  restart(now: number): string;
  status(now: number): readonly string[];
}

/** `, lease until 80 ms`; nothing for a lease that was never granted. */
export function describeLease(untilMs: number): string {
  return untilMs > 0 ? `, lease until ${untilMs} ms` : "";
}
