import {
  type Address,
  type Envelope,
  type ExpiredRead,
  type Message,
  Observer,
  observerAddress,
  Syncs,
  ThresholdQuorums,
  type Topology,
} from "@synod/core";
import { digestOfBatch } from "../batch-digest.js";
import type { Attachment } from "../client.js";
import { monotonicMs } from "../clock.js";
import { EventLoopReader } from "../event-loop-reader.js";
import { decodeFrame } from "../frame-codec.js";
import { runtimeLimits } from "../limits.js";
import type { Inbox, Outbox } from "../mailbox/index.js";
import type { ResolvedOptions } from "../options.js";
import { Post } from "../post.js";
import type { SnapshotRegion } from "../snapshots/index.js";
import type { AnyStateMachine } from "../state-machine.js";
import { Applier } from "./applier.js";
import type { EntryTail } from "./entry-tail.js";
import { Restoring } from "./restoring.js";
import { Slice } from "./slice.js";

/** What a replica is made of; `joinReplica` puts it together. */
export interface ReplicaParts {
  readonly number: number;
  readonly topology: Topology;
  readonly options: ResolvedOptions;
  readonly inbox: Inbox;
  readonly outboxes: ReadonlyMap<Address, Outbox>;
  readonly attachment: Attachment;
  readonly snapshotRegions: readonly SnapshotRegion[];
  readonly machine: AnyStateMachine;
  /** Makes another one to restore a snapshot into; left out, `machine` is restored. */
  readonly makeMachine: (() => AnyStateMachine) | undefined;
  readonly tail: EntryTail;
}

/** Whom a host tells what happens. */
export interface ReplicaWatcher {
  /** Looked at again and again: false makes it stop. */
  isOpen(): boolean;
  /** So long may one timer wait; and before each wait, late ones are told. */
  readonly deadline: number;
  /** Time has passed, or something was learned or applied. */
  onStep(now: number): void;
  onApplied(): void;
  onSyncs(done: readonly number[], expired: readonly ExpiredRead[]): void;
  onRestoring(isInPlace: boolean): void;
  onRestored(): void;
  onRestoreFailed(error: unknown): void;
}

/**
 * Runs an observer on the event loop of somebody else's thread: reads its mail, applies what was chosen, restores
 * snapshots; never for more than a few milliseconds at a time.
 */
export class ReplicaHost {
  readonly name: Address;
  readonly syncs: Syncs;
  readonly #parts: ReplicaParts;
  readonly #watcher: ReplicaWatcher;
  readonly #observer: Observer;
  readonly #applier: Applier;
  readonly #restoring: Restoring;
  readonly #reader: EventLoopReader;
  readonly #post = new Post({});
  readonly #slice = new Slice(runtimeLimits.replicaSliceMs);
  /** A snapshot is being restored, and nothing is applied. */
  #isRestoring = false;
  /** The log is kept from here on at least: an older snapshot is of no use. */
  #restoreFrom = 1;
  #isStepScheduled = false;
  #isFlushScheduled = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;
  /** The timer has gone off, and what came before that is read first. */
  #isLate = false;
  #keepsAlive = false;
  #announcedAtMs = monotonicMs();

  constructor(parts: ReplicaParts, watcher: ReplicaWatcher) {
    const { number, topology, options, inbox, outboxes, machine, tail } = parts;
    this.#parts = parts;
    this.#watcher = watcher;
    this.name = observerAddress(number);
    const { leaseMs, quorums, digest, sessionTimeoutMs } = options;
    this.#observer = new Observer(
      {
        topology,
        quorums: new ThresholdQuorums(topology.acceptors, quorums),
        feeder: number % topology.learners,
        fetchAfterMs: runtimeLimits.replicaFetchAfterMs,
        ...(digest ? { digest: digestOfBatch } : {}),
      },
      monotonicMs(),
    );
    this.syncs = new Syncs({ topology, leaseMs, askAgainMs: runtimeLimits.retryAfterMs });
    this.#applier = new Applier(machine, sessionTimeoutMs, tail);
    this.#restoring = new Restoring(
      { regions: parts.snapshotRegions, machine, makeMachine: parts.makeMachine },
      {
        neededFrom: () => Math.max(this.#restoreFrom, this.#observer.trimmedBelow),
        pauses: () => this.#slice.pauses(),
        onBegin: instance => this.#beginRestoring(instance),
        onFailure: error => this.#watcher.onRestoreFailed(error),
      },
    );
    const recipient = {
      isOpen: () => watcher.isOpen(),
      onFrame: (from: Address, frame: Uint8Array) => this.#receive(from, decodeFrame(frame).message),
      onFrames: () => this.#step(),
      onPause: () => this.#step(),
    };
    this.#reader = new EventLoopReader(inbox, recipient, this.#slice, runtimeLimits.replicaFramesPerLook);
    for (const [to, outbox] of outboxes) this.#post.add(to, outbox);
  }

  /** Begins with the newest snapshot, if there is one: that is shorter than the log. */
  start(): void {
    if (this.#restoring.hasSnapshot()) void this.#restore();
    this.#slice.within(this.#tick);
    this.#reader.listen();
  }

  get machine(): AnyStateMachine {
    return this.#applier.machine;
  }

  get appliedBelow(): number {
    return this.#applier.appliedBelow;
  }

  /** The most that it has taken of one turn of the event loop, in milliseconds. */
  get longestSliceMs(): number {
    return this.#slice.longestMs;
  }

  /** Logical time of what was applied last, in milliseconds. */
  get timeMs(): number {
    return this.#applier.timeMs;
  }

  /** Everything below was chosen when a learner said so last; undefined before any has. */
  get toldBelow(): number | undefined {
    return this.#observer.toldBelow;
  }

  /** The timer keeps the process alive exactly while somebody waits for one of our promises. */
  keepAlive(isWaiting: boolean): void {
    if (isWaiting === this.#keepsAlive) return;
    // Noted also where there is no timer yet, as while joining: the next one begins accordingly.
    this.#keepsAlive = isWaiting;
    if (isWaiting) this.#timer?.ref();
    else this.#timer?.unref();
  }

  /** Somebody has begun to wait: what it needs is sent when the turn ends. */
  wake(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    process.nextTick(() => {
      this.#isFlushScheduled = false;
      if (!this.#isClosed) this.#slice.within(this.#step);
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#restoring.close();
    this.#timer = undefined;
    this.#parts.inbox.close();
    await this.#parts.attachment.detach();
    this.#post.close();
  }

  #receive(from: Address, message: Message): void {
    const now = monotonicMs();
    if (message.type === "readReady" || message.type === "notLeader") this.syncs.receive(from, message, now);
    // What there is no room for is as good as lost on the way: it is fetched later.
    else if (!this.#applier.isFull || message.type === "followed") this.#observer.receive(from, message, now);
  }

  /** Takes what was learned, applies for a while, and sends what came of it. */
  readonly #step = (): void => {
    if (this.#isClosed) return;
    const now = monotonicMs();
    if (this.#learn() && !this.#isRestoring) {
      void this.#restore();
      // What is to be fetched behind the snapshot must not wait.
      this.#learn();
    }
    if (!this.#isRestoring) this.#apply();
    this.#sync(now);
    this.#watcher.onStep(now);
    if (this.#isClosed) return;
    this.#observer.hold(this.#applier.isFull);
    this.#post.flush();
    this.#armTimer();
  };

  /** True when acceptors have forgotten what comes next. */
  #learn(): boolean {
    const { chosen, send, snapshotWanted } = this.#observer.takeReady();
    this.#applier.push(chosen);
    this.#send(send);
    return snapshotWanted !== undefined;
  }

  #apply(): void {
    const before = this.#applier.appliedBelow;
    this.#applier.run(this.#slice);
    if (this.#applier.appliedBelow > before) this.#noteApplied();
    if (this.#applier.isIdle || this.#isStepScheduled) return;
    this.#isStepScheduled = true;
    this.#slice.nextTurn(() => {
      this.#isStepScheduled = false;
      this.#slice.within(this.#step);
    });
  }

  #noteApplied(): void {
    const { appliedBelow } = this.#applier;
    this.#observer.applied(appliedBelow);
    this.syncs.applied(appliedBelow);
    this.#watcher.onApplied();
  }

  #sync(now: number): void {
    // Also when none is open any more: what was applied, or the deadline, may have ended the last one.
    const { send, done, expired } = this.syncs.takeReady(now);
    this.#send(send);
    // The feeder may stand still: whatever the leader has proposed is then fetched.
    const { awaitedBelow } = this.syncs;
    if (awaitedBelow > this.#observer.chosenBelow) this.#observer.expect(awaitedBelow, now);
    if (done.length > 0 || expired.length > 0) this.#watcher.onSyncs(done, expired);
  }

  #send(envelopes: readonly Envelope[]): void {
    if (envelopes.length > 0) this.#post.send(envelopes);
  }

  /**
   * Until one snapshot is restored, the newest each time. The log behind it is fetched meanwhile, and what is chosen in
   * the meantime comes by itself: at the latest the second snapshot that begins where this replica was there already
   * needs nothing that could be trimmed.
   */
  async #restore(): Promise<void> {
    this.#isRestoring = true;
    this.#watcher.onRestoring(this.#parts.makeMachine === undefined);
    const restored = await this.#restoring.run();
    if (restored === undefined || this.#isClosed) return;
    this.#applier.restored(restored.machine, restored.state);
    this.#isRestoring = false;
    this.#watcher.onRestored();
    this.#noteApplied();
    this.#slice.within(this.#step);
  }

  #beginRestoring(instance: number): void {
    this.#restoreFrom = instance;
    this.#observer.restored(instance, monotonicMs());
    this.#applier.dropBelow(instance);
  }

  #armTimer(): void {
    const at = Math.min(this.#observer.deadline, this.syncs.deadline, this.#watcher.deadline);
    if (this.#isLate) return;
    if (this.#timer !== undefined && at >= this.#timerAt - 1) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(this.#onTimer, Math.max(1, at - monotonicMs()));
    if (!this.#keepsAlive) this.#timer.unref();
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    this.#timerAt = 0;
    if (!this.#watcher.isOpen()) return;
    // A thread that wakes up late reads its mail before any of its deadlines passes.
    this.#isLate = true;
    this.#reader.receiveWaitingInTurns(() => {
      this.#isLate = false;
      this.#slice.within(this.#tick);
    });
  };

  readonly #tick = (): void => {
    const now = monotonicMs();
    this.#announceIfUnheard(now);
    this.#observer.tick(now);
    this.syncs.tick(now);
    this.#step();
  };

  /** Actors that it hears nothing of may know nothing of it: announcements reach only those that run. */
  #announceIfUnheard(now: number): void {
    const silentMs = now - Math.max(this.#reader.heardAtMs, this.#announcedAtMs);
    if (silentMs < runtimeLimits.announceAfterMs) return;
    this.#announcedAtMs = now;
    this.#parts.attachment.announce();
  }
}
