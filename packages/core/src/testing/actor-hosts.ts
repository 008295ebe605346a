import { Acceptor, type AcceptorRecord, recoverAcceptor } from "../acceptor.js";
import type { CommandSegment } from "../batch.js";
import { Learner } from "../learner.js";
import type { Address, Message, Result } from "../messages.js";
import { Proposer } from "../proposer.js";
import { ThresholdQuorums } from "../quorum.js";
import { Replica } from "../replica.js";
import { actorAddress } from "../roles.js";
import { decodeCommand } from "./values.js";
import type { Host, World } from "./world.js";

/** How long the roles wait before they repeat themselves, in virtual milliseconds. */
const timing = { retransmitMs: 40, fetchAfterMs: 30 } as const;

function quorumsOf({ profile }: World): ThresholdQuorums {
  return new ThresholdQuorums(profile.topology.acceptors, profile.quorums);
}

export class ProposerHost implements Host {
  readonly role = "proposer";
  readonly address: Address;
  readonly #nextIncarnation: () => number;
  #proposer: Proposer;
  #before: Proposer["state"] = "following";

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

  campaign(now: number): void {
    this.#proposer.campaign(now);
  }

  receive(from: Address, message: Message, now: number): void {
    void now;
    this.#proposer.receive(from, message);
    this.#observe();
  }

  tick(now: number): void {
    this.#proposer.tick(now);
  }

  flush(now: number): void {
    const { send } = this.#proposer.takeReady(now);
    this.#observe();
    this.world.send(this, send);
  }

  restart(): void {
    this.#proposer = this.#start();
    this.#before = "following";
  }

  #start(): Proposer {
    const { profile } = this.world;
    return new Proposer({
      topology: profile.topology,
      quorums: quorumsOf(this.world),
      index: this.index,
      incarnation: this.#nextIncarnation(),
      mode: profile.mode,
      batch: { commandsMax: profile.batchCommandsMax, bytesMax: 1 << 16 },
      pipeline: { batchesMax: profile.pipelineBatchesMax },
      retransmitMs: timing.retransmitMs,
    });
  }

  #observe(): void {
    const { state, chosenBelow } = this.#proposer;
    if (state !== this.#before) {
      if (state === "leading") this.world.counters.elections += 1;
      if (state === "following") this.world.counters.duels += 1;
      this.#before = state;
    }
    this.world.checker.onProposerStep(chosenBelow);
  }
}

export class AcceptorHost implements Host {
  readonly role = "acceptor";
  readonly address: Address;
  readonly deadline = Number.POSITIVE_INFINITY;
  /** Storage: all that survives a crash. */
  readonly #records: AcceptorRecord[] = [];
  #acceptor: Acceptor;

  constructor(
    readonly world: World,
    readonly index: number,
  ) {
    this.address = actorAddress("acceptor", index);
    const { firstInstance } = world.profile;
    if (firstInstance > 0) this.#records.push({ kind: "trim", below: firstInstance });
    this.#acceptor = this.#start();
  }

  receive(from: Address, message: Message): void {
    this.#acceptor.receive(from, message);
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

  restart(): void {
    this.#acceptor = this.#start();
  }

  #persist(records: readonly AcceptorRecord[]): void {
    for (const record of records) {
      this.#records.push(record);
      this.world.checker.onPersist(this.index, record);
      if (record.kind === "trim") this.world.counters.trims += 1;
    }
  }

  #start(): Acceptor {
    const bytesMax = this.world.profile.promisePartBytesMax;
    const recovered = this.#records.length === 0 ? undefined : recoverAcceptor(this.#records);
    const bounds = { promisePartBytesMax: bytesMax, fetchBytesMax: bytesMax };
    return new Acceptor(this.world.profile.topology, recovered, bounds);
  }
}

export class LearnerHost implements Host {
  readonly role = "learner";
  readonly address: Address;
  #learner: Learner;
  #replica: Replica;
  #applied = 0;

  constructor(
    readonly world: World,
    readonly index: number,
  ) {
    this.address = actorAddress("learner", index);
    this.#learner = this.#startLearner();
    this.#replica = this.#startReplica();
  }

  get deadline(): number {
    return this.#learner.deadline;
  }

  receive(from: Address, message: Message, now: number): void {
    if (message.type === "query") this.#replica.receive(from, message);
    else this.#learner.receive(from, message, now);
  }

  tick(now: number): void {
    this.#learner.tick(now);
  }

  flush(): void {
    const { checker } = this.world;
    const { chosen, send } = this.#learner.takeReady();
    for (const entry of chosen) {
      checker.onHandOn(this.index, entry);
      this.#replica.apply(entry);
      checker.onEntryApplied(this.index, this.#replica.appliedBelow);
    }
    this.world.send(this, send);
    this.world.send(this, this.#replica.takeReady().send);
  }

  restart(): void {
    this.world.checker.onLearnerRestart(this.index);
    this.#applied = 0;
    this.#learner = this.#startLearner();
    this.#replica = this.#startReplica();
  }

  #startLearner(): Learner {
    const { topology, firstInstance } = this.world.profile;
    const options = { topology, quorums: quorumsOf(this.world), fetchAfterMs: timing.fetchAfterMs };
    return new Learner(options, firstInstance);
  }

  #startReplica(): Replica {
    return new Replica(this.index, {
      apply: (segment, skip) => this.#apply(segment, skip),
      query: () => this.#applied,
    });
  }

  /** The state machine: a command's result is its position among all that were applied. */
  #apply(segment: CommandSegment, skip: number): readonly Result[] {
    const results: number[] = [];
    for (let position = skip; position < segment.count; position++) {
      const command = decodeCommand(segment.bytes, segment.skip + position);
      this.#applied = this.world.checker.onApply(this.index, command);
      results.push(this.#applied);
    }
    return results;
  }
}
