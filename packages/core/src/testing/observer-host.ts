import { entriesFrom } from "../accepted-log.js";
import type { CommandSegment } from "../batch.js";
import type { AcceptedEntry, Address, Envelope, Message, Result } from "../messages.js";
import { Observer } from "../observer.js";
import { Replica, type ReplicaState } from "../replica.js";
import { observerAddress } from "../roles.js";
import { Syncs } from "../syncs.js";
import { quorumsOf, timing } from "./actor-hosts.js";
import type { StoredSnapshot } from "./snapshot-store.js";
import { decodeCommand, digestOf } from "./values.js";
import type { Host, World } from "./world.js";

const syncAgainMs = 80;
/** So long takes a restore at most, in virtual milliseconds. */
const restoreMsMax = 80;
/** One that joins begins with so probably no snapshot until it is told that it needs one. */
const restoresAtOnce = 0.8;
/** Operations of observers are told from those of clients by their numbers. */
const firstCaller = 1_000_000;

interface Restore {
  readonly snapshot: StoredSnapshot;
  readonly endsAt: number;
}

/** A replica in a user's thread, for as long as the thread lives: the next one has another address. */
export class ObserverHost implements Host {
  readonly role = "observer";
  readonly address: Address;
  readonly #number: number;
  /** Where the checker counts it: behind the learners. */
  readonly #place: number;
  readonly #observer: Observer;
  readonly #syncs: Syncs;
  #replica: Replica;
  #applied = 0;
  #restore: Restore | undefined;
  #backlog: AcceptedEntry[] = [];
  #feeder: Address;
  #unsent: Envelope[] = [];

  constructor(
    readonly world: World,
    readonly index: number,
    number: number,
    now: number,
  ) {
    const { profile, checker, snapshots, random } = world;
    const { topology, digest, firstInstance, leaseMs } = profile;
    this.address = observerAddress(number);
    this.#number = number;
    this.#place = topology.learners + index;
    checker.onLearnerRestart(this.#place);
    const options = {
      topology,
      quorums: quorumsOf(world),
      feeder: number % topology.learners,
      fetchAfterMs: timing.fetchAfterMs,
      ...(digest ? { digest: digestOf } : {}),
    };
    this.#observer = new Observer(options, now);
    this.#observer.restored(firstInstance, now);
    this.#feeder = this.#observer.feeder;
    this.#syncs = new Syncs({ topology, leaseMs, askAgainMs: syncAgainMs });
    this.#replica = this.#startReplica();
    const { newest } = snapshots;
    if (newest !== undefined && random.chance(restoresAtOnce)) this.#beginRestore(newest, now);
  }

  get deadline(): number {
    const restoredAt = this.#restore?.endsAt ?? Number.POSITIVE_INFINITY;
    return Math.min(this.#observer.deadline, this.#syncs.deadline, restoredAt);
  }

  /** Nobody waits for a sync. */
  get settled(): boolean {
    return this.#syncs.open === 0;
  }

  receive(from: Address, message: Message, now: number): void {
    if (message.type === "readReady" || message.type === "notLeader") this.#syncs.receive(from, message, now);
    else this.#observer.receive(from, message, now);
  }

  tick(now: number): void {
    this.#observer.tick(now);
    this.#syncs.tick(now);
    if (this.#restore !== undefined && now >= this.#restore.endsAt) this.#endRestore(this.#restore, now);
  }

  flush(now: number): void {
    const { counters, snapshots } = this.world;
    const snapshotWanted = this.#learn();
    const { newest } = snapshots;
    const isWanted = snapshotWanted !== undefined && (newest?.instance ?? -1) >= snapshotWanted;
    if (this.#restore === undefined && newest !== undefined && isWanted) this.#beginRestore(newest, now);
    if (this.#restore === undefined) this.#apply();
    const { send: asking, done, expired } = this.#syncs.takeReady(now);
    for (const id of done) this.#onSynced(id);
    counters.lateSyncs += expired.length;
    const { awaitedBelow } = this.#syncs;
    if (awaitedBelow > this.#observer.chosenBelow) this.#observer.expect(awaitedBelow, now);
    if (this.#observer.feeder !== this.#feeder) counters.feederChanges += 1;
    this.#feeder = this.#observer.feeder;
    // What comes of a restore that has just begun must not wait.
    this.#learn();
    this.world.send(this, [...this.#unsent, ...asking]);
    this.#unsent = [];
  }

  /** Its callers have a turn. */
  act(now: number): void {
    const { random, profile, operations } = this.world;
    if (!random.chance(0.3)) return;
    const hurried = random.chance(profile.faults.abandon);
    const deadline = hurried ? now + random.between(1, 200) : Number.POSITIVE_INFINITY;
    operations.asked(this.#caller, this.#syncs.add(deadline, now));
  }

  crash(): void {}

  restart(): void {}

  #learn(): number | undefined {
    const { chosen, send, snapshotWanted } = this.#observer.takeReady();
    this.#backlog.push(...chosen);
    this.#unsent.push(...send);
    return snapshotWanted;
  }

  get #caller(): number {
    return firstCaller + this.#number;
  }

  /** What it reads now, everybody may rely on. */
  #onSynced(id: number): void {
    this.world.counters.syncs += 1;
    this.world.operations.answered(this.#caller, id, this.#applied);
  }

  #apply(): void {
    const { checker } = this.world;
    for (const entry of this.#backlog) {
      checker.onHandOn(this.#place, entry);
      this.#replica.apply(entry);
      checker.onEntryApplied(this.#place, this.#replica.appliedBelow);
    }
    if (this.#backlog.length > 0) this.#noteApplied();
    this.#backlog = [];
  }

  #noteApplied(): void {
    const { appliedBelow } = this.#replica;
    this.#observer.applied(appliedBelow);
    this.#syncs.applied(appliedBelow);
  }

  /** The log behind the snapshot is fetched while it is restored. */
  #beginRestore(snapshot: StoredSnapshot, now: number): void {
    this.#observer.restored(snapshot.instance, now);
    this.#backlog = entriesFrom(this.#backlog, snapshot.instance);
    this.#restore = { snapshot, endsAt: now + this.world.random.between(1, restoreMsMax) };
  }

  #endRestore({ snapshot }: Restore, now: number): void {
    const { counters, checker, snapshots, random, faulty, profile } = this.world;
    this.#restore = undefined;
    // It was overwritten while it was read, for instance. An older one is of no use: the log is kept from there on.
    if (faulty && random.chance(profile.faults.failRestore)) {
      const { newest = snapshot } = snapshots;
      return this.#beginRestore(newest.instance >= snapshot.instance ? newest : snapshot, now);
    }
    counters.observerRestores += 1;
    this.#applied = snapshot.applied;
    this.#replica = this.#startReplica(snapshot.state);
    checker.onRestored(this.#place, snapshot);
    this.#noteApplied();
  }

  #startReplica(state?: ReplicaState): Replica {
    const { sessionTimeoutMs } = this.world.profile;
    const host = {
      apply: (segment: CommandSegment, skip: number, firstInstance: number, timeMs: number) =>
        this.#run(segment, skip, firstInstance, timeMs),
      query: () => this.#applied,
    };
    return new Replica({ learner: -1, host, sessionTimeoutMs }, state);
  }

  #run(segment: CommandSegment, skip: number, firstInstance: number, timeMs: number): readonly Result[] {
    const count = segment.count - skip;
    for (let position = skip; position < segment.count; position++) {
      const command = decodeCommand(segment.bytes, segment.skip + position);
      const instance = firstInstance + position - skip;
      this.#applied = this.world.checker.onApply(this.#place, command, instance, timeMs);
    }
    return new Array<Result>(count).fill(undefined);
  }
}
