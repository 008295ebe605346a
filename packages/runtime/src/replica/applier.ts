import {
  type AcceptedEntry,
  batchBytes,
  type CommandSegment,
  Replica as ReplicaRole,
  type ReplicaState,
  type Results,
  sliceBatch,
} from "@synod/core";
import { runtimeLimits } from "../limits.js";
import { NoResults } from "../result-codec.js";
import type { AnyStateMachine } from "../state-machine.js";
import type { EntryTail } from "./entry-tail.js";
import { CommandRunner, type Part } from "./run-commands.js";
import type { Slice } from "./slice.js";

/** It answers nobody, so it belongs to no learner. */
const noLearner = -1;
/** A piece that takes longer than this, in milliseconds, is followed by a smaller one. */
const pieceMs = 0.5;

/** What was learned and is not applied yet, and the state machine that it is applied to, piece by piece. */
export class Applier {
  readonly #tail: EntryTail;
  readonly #runner = new CommandRunner();
  readonly #sessionTimeoutMs: number;
  #machine: AnyStateMachine;
  #role: ReplicaRole;
  /** In order; entries before the head have been applied. */
  #backlog: AcceptedEntry[] = [];
  #head = 0;
  #bytes = 0;
  /** Few, until it is known how long they take. */
  #pieceCommands = 1;
  /** Commands that the last piece has run: it may have been smaller than allowed, or a no-op. */
  #ranCommands = 0;

  constructor(machine: AnyStateMachine, sessionTimeoutMs: number, tail: EntryTail) {
    this.#tail = tail;
    this.#sessionTimeoutMs = sessionTimeoutMs;
    this.#machine = machine;
    this.#role = this.#start();
  }

  get machine(): AnyStateMachine {
    return this.#machine;
  }

  /** Everything below is applied. */
  get appliedBelow(): number {
    return this.#role.appliedBelow;
  }

  /** Logical time, in milliseconds. */
  get timeMs(): number {
    return this.#role.timeMs;
  }

  get isIdle(): boolean {
    return this.#head === this.#backlog.length;
  }

  /** What is to be learned next would take too much memory. */
  get isFull(): boolean {
    return this.#bytes > runtimeLimits.learnerBacklogBytes;
  }

  push(entries: readonly AcceptedEntry[]): void {
    for (const entry of entries) {
      this.#backlog.push(entry);
      this.#bytes += weightOf(entry);
    }
  }

  /** Applies what waits, until the slice is over. */
  run(slice: Slice): void {
    while (this.#head < this.#backlog.length) {
      if (slice.isOver) return;
      const entry = this.#backlog[this.#head] as AcceptedEntry;
      const startedAt = slice.now();
      this.#applyPiece(entry);
      const tookMs = slice.now() - startedAt;
      if (tookMs > pieceMs) this.#pieceCommands = Math.max(1, this.#pieceCommands >> 1);
      else if (tookMs < pieceMs / 4 && this.#ranCommands === this.#pieceCommands) {
        this.#pieceCommands = Math.min(this.#pieceCommands * 2, runtimeLimits.replicaPieceCommandsMax);
      }
    }
    this.#backlog = [];
    this.#head = 0;
    this.#runner.forget(this.#tail.isFollowed);
  }

  /** Goes on from a snapshot that was restored into `machine`. */
  restored(machine: AnyStateMachine, state: ReplicaState): void {
    this.#machine = machine;
    this.#role = this.#start(state);
    this.dropBelow(state.appliedBelow);
    this.#tail.restart(state.appliedBelow);
  }

  /** What a snapshot holds need not be applied. */
  dropBelow(instance: number): void {
    const left = this.#backlog.slice(this.#head);
    this.#backlog = [];
    this.#head = 0;
    this.#bytes = 0;
    for (const entry of left) {
      const skip = Math.max(0, instance - entry.firstInstance);
      if (skip < entry.count) this.push([partOf(entry, skip, entry.count - skip)]);
    }
  }

  #applyPiece(entry: AcceptedEntry): void {
    const { appliedBelow } = this.#role;
    const skip = appliedBelow - entry.firstInstance;
    const left = entry.count - skip;
    const count = Math.min(left, this.#pieceCommands);
    this.#ranCommands = 0;
    this.#role.apply(partOf(entry, skip, count));
    if (count < left) return;
    this.#head += 1;
    this.#bytes -= weightOf(entry);
  }

  #start(state?: ReplicaState): ReplicaRole {
    const machine = this.#machine;
    const host = {
      apply: (segment: CommandSegment, skip: number, firstInstance: number, timeMs: number) =>
        this.#run(machine, { segment, skip, firstInstance, timeMs }),
      query: () => undefined,
    };
    return new ReplicaRole({ learner: noLearner, host, sessionTimeoutMs: this.#sessionTimeoutMs }, state);
  }

  /** A session remembers only how many there were: a replica is never asked for results. */
  #run(machine: AnyStateMachine, part: Part): Results {
    this.#ranCommands += part.segment.count - part.skip;
    this.#tail.add(this.#runner.run(machine, part, this.#tail.isFollowed));
    return new NoResults(part.segment.count - part.skip);
  }
}

function partOf(entry: AcceptedEntry, skip: number, count: number): AcceptedEntry {
  if (count === entry.count) return entry;
  const { ballot, firstInstance, batch } = entry;
  return {
    ballot,
    firstInstance: firstInstance + skip,
    count,
    batch: sliceBatch(batch, skip, count),
    source: null,
  };
}

function weightOf({ batch }: AcceptedEntry): number {
  return batchBytes(batch) + runtimeLimits.entryOverheadBytes;
}
