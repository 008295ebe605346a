import { Acceptor, type AcceptorRecord, recoverAcceptor } from "../acceptor.js";
import { sameBallot } from "../ballot.js";
import type { Address, Message } from "../messages.js";
import { Proposer } from "../proposer.js";
import { ThresholdQuorums } from "../quorum.js";
import { actorAddress, indexOf } from "../roles.js";
import { digestOf } from "./values.js";
import type { Host, World } from "./world.js";

/** How long the roles wait before they repeat themselves, in virtual milliseconds. */
export const timing = { retransmitMs: 40, fetchAfterMs: 30 } as const;

export function quorumsOf({ profile }: World): ThresholdQuorums {
  return new ThresholdQuorums(profile.topology.acceptors, profile.quorums);
}

export class ProposerHost implements Host {
  readonly role = "proposer";
  readonly address: Address;
  readonly #nextIncarnation: () => number;
  #proposer: Proposer;
  #before: Proposer["state"] = "following";
  #distinguishedBefore = -1;

  constructor(
    readonly world: World,
    readonly index: number,
    nextIncarnation: () => number,
  ) {
    this.address = actorAddress("proposer", index);
    this.#nextIncarnation = nextIncarnation;
    this.#proposer = this.#start();
  }

  get deadline(): number {
    return this.#proposer.deadline;
  }

  get leads(): boolean {
    return this.#proposer.state === "leading";
  }

  campaign(now: number): void {
    this.#proposer.campaign(now);
    this.#observe();
  }

  transferLeadership(to: number, now: number): void {
    if (this.#proposer.transferLeadership(to, now)) this.world.counters.transfers += 1;
    this.#observe();
  }

  receive(from: Address, message: Message, now: number): void {
    const learner = indexOf("learner", from);
    if (message.type === "progress" && learner >= 0) {
      this.world.checker.trims.onHeard(this.index, learner, message, now);
    }
    const { state, ballot } = this.#proposer;
    this.#proposer.receive(from, message, now);
    if (
      message.type === "refuse" &&
      message.full &&
      state === "leading" &&
      sameBallot(ballot, message.ballot)
    ) {
      this.world.checker.onFullRefusal(ballot, this.#proposer);
    }
    this.#observe();
  }

  tick(now: number): void {
    const before = this.#proposer.state;
    this.#proposer.tick(now);
    if (before === "following" && this.#proposer.state === "preparing") this.world.counters.timeouts += 1;
    this.#observe();
  }

  flush(now: number): void {
    const { send } = this.#proposer.takeReady(now);
    for (const { message } of send) {
      if (message.type === "accept") this.world.checker.trims.onAccept(this.index, message, now);
      if (message.type !== "readReady") continue;
      this.world.counters[now < this.#proposer.leaseUntil ? "leaseReads" : "roundReads"] += 1;
    }
    this.#observe();
    this.world.send(this, send);
  }

  crash(): void {
    this.world.checker.onLease(this.index, undefined, 0);
    this.world.checker.trims.onProposerCrash(this.index);
  }

  restart(now: number): void {
    this.#proposer = this.#start();
    this.#before = "following";
    this.#proposer.start(now);
  }

  start(now: number): void {
    this.#proposer.start(now);
  }

  #start(): Proposer {
    const { profile, random } = this.world;
    const chance = random.fork();
    return new Proposer({
      topology: profile.topology,
      quorums: quorumsOf(this.world),
      index: this.index,
      incarnation: this.#nextIncarnation(),
      mode: profile.mode,
      batch: {
        commandsMax: profile.batchCommandsMax,
        bytesMax: 1 << 16,
        lingerMs: profile.lingerMs,
        adaptive: profile.adaptive,
      },
      pipeline: { batchesMax: profile.pipelineBatchesMax, bytesMax: profile.pipelineBytesMax },
      retransmitMs: timing.retransmitMs,
      leaseMs: profile.leaseMs,
      distinguishedLearner: profile.distinguishedLearner,
      ...(profile.digest ? { digest: digestOf } : {}),
      random: () => chance.fraction(),
    });
  }

  #observe(): void {
    const { state, chosenBelow, ballot, leaseUntil, distinguishedLearner } = this.#proposer;
    const { counters, checker } = this.world;
    if (state !== this.#before) {
      if (state === "leading") counters.elections += 1;
      if (state === "following") counters.duels += 1;
      this.#before = state;
    }
    if (distinguishedLearner !== this.#distinguishedBefore) {
      if (this.#distinguishedBefore >= 0) counters.replacedLearners += 1;
      this.#distinguishedBefore = distinguishedLearner;
    }
    if (leaseUntil > 0) counters.leases += 1;
    checker.onProposerStep(chosenBelow);
    checker.onLease(this.index, ballot, leaseUntil);
  }
}

export class AcceptorHost implements Host {
  readonly role = "acceptor";
  readonly address: Address;
  readonly deadline = Number.POSITIVE_INFINITY;
  /** Storage: all that survives a crash. */
  readonly #records: AcceptorRecord[] = [];
  #acceptor: Acceptor;
  /** Until then storage has no room for values. */
  #fullUntil = 0;
  #wasFull = false;

  constructor(
    readonly world: World,
    readonly index: number,
  ) {
    this.address = actorAddress("acceptor", index);
    const { firstInstance } = world.profile;
    if (firstInstance > 0) this.#records.push({ kind: "trim", below: firstInstance });
    this.#acceptor = this.#start(0);
  }

  receive(from: Address, message: Message, now: number): void {
    if (message.type !== "accept") return this.#acceptor.receive(from, message, now);
    const { world } = this;
    if (world.faulty && world.random.chance(world.profile.faults.fillStorage)) {
      this.#fullUntil = world.now + world.random.between(20, 600);
    }
    this.#wasFull = false;
    this.#acceptor.receive(from, message, now);
    if (!this.#wasFull) return;
    world.counters.fullRefusals += 1;
    world.checker.onFullAcceptor(message.trimBelow, this.#acceptor.trimmedBelow);
  }

  tick(): void {}

  /** A crash may come before anything is safe, or when all is safe and nothing has been said. */
  flush(): void {
    const { world } = this;
    const { persist, send } = this.#acceptor.takeReady();
    const crashes = world.faulty && persist.length > 0;
    if (crashes && world.random.chance(world.profile.faults.crashAcceptor)) return world.crash(this);
    this.#persist(persist);
    if (crashes && world.random.chance(world.profile.faults.crashAcceptor)) return world.crash(this);
    world.send(this, send);
  }

  crash(): void {}

  restart(now: number): void {
    this.#acceptor = this.#start(now);
  }

  #persist(records: readonly AcceptorRecord[]): void {
    for (const record of records) {
      this.#records.push(record);
      this.world.checker.onPersist(this.index, record);
      if (record.kind === "trim") this.world.counters.trims += 1;
    }
  }

  #hasRoom(): boolean {
    this.#wasFull = this.world.faulty && this.world.now < this.#fullUntil;
    return !this.#wasFull;
  }

  /** Now and then storage that does not keep leases. */
  #start(now: number): Acceptor {
    const { topology, leaseMs, promisePartBytesMax: bytesMax, leasesAreKept } = this.world.profile;
    let recovered = this.#records.length === 0 ? undefined : recoverAcceptor(this.#records);
    if (recovered !== undefined && !leasesAreKept) recovered = { ...recovered, lease: undefined };
    const bounds = { promisePartBytesMax: bytesMax, fetchBytesMax: bytesMax };
    return new Acceptor({ topology, leaseMs, bounds, hasRoom: () => this.#hasRoom() }, recovered, now);
  }
}
