import { type Address, actorAddress, type Ballot, type Message, Proposer } from "@synod/core";
import { describeBallot } from "@synod/core/testing";
import { digestOf } from "../payload.js";
import { type ClusterOptions, describeLease, type ScriptActor, type Step } from "./script-actor.js";

export class ProposerActor implements ScriptActor {
  readonly address: Address;
  #proposer: Proposer;
  #incarnation = 0;
  #state = "";
  #chosenBelow = 0;
  #told = -1;
  /** Whether acceptors had granted it a lease that held when it was looked at last. */
  #hadLease = false;

  constructor(
    readonly options: ClusterOptions,
    readonly index: number,
    readonly nextIncarnation: () => number,
  ) {
    this.address = actorAddress("proposer", index);
    this.#proposer = this.#create();
  }

  get deadline(): number {
    return this.#proposer.deadline;
  }

  get ballot(): Ballot {
    return this.#proposer.ballot;
  }

  /** From now on it stands for election by itself. */
  start(now: number): void {
    this.#proposer.start(now);
  }

  campaign(now: number): void {
    this.#proposer.campaign(now);
  }

  transferLeadership(to: number, now: number): void {
    if (!this.#proposer.transferLeadership(to, now)) throw new Error(`${this.address} does not lead`);
  }

  receive(from: Address, message: Message, now: number): void {
    this.#proposer.receive(from, message, now);
  }

  tick(now: number): void {
    this.#proposer.tick(now);
  }

  step(now: number): Step {
    const { send } = this.#proposer.takeReady(now);
    const { address } = this;
    const lines: string[] = [];
    const state = this.#describeState();
    const { chosenBelow, leaseUntil, distinguishedLearner } = this.#proposer;
    const hasLease = leaseUntil > now;
    if (chosenBelow !== this.#chosenBelow) lines.push(`${address} knows chosen below ${chosenBelow}`);
    if (state !== this.#state) lines.push(`${address} is ${state}`);
    if (hasLease && !this.#hadLease) lines.push(`${address} has the lease until ${leaseUntil} ms`);
    if (distinguishedLearner !== this.#told) lines.push(`${address} names learner-${distinguishedLearner}`);
    this.#state = state;
    this.#chosenBelow = chosenBelow;
    this.#hadLease = hasLease;
    this.#told = distinguishedLearner;
    return { lines, send };
  }

  restart(now: number): string {
    this.#proposer = this.#create();
    this.#proposer.start(now);
    return `incarnation ${this.#incarnation}`;
  }

  status(now: number): readonly string[] {
    const { ballot, state, chosenBelow, queuedCommands, leaseUntil, distinguishedLearner } = this.#proposer;
    const leads = state === "leading";
    const seen = state === "following" ? `, highest ballot ${describeBallot(ballot)}` : "";
    const queued = queuedCommands > 0 ? `, ${queuedCommands} queued` : "";
    const leased = leaseUntil > now ? describeLease(leaseUntil) : ", no lease";
    const lease = leads && this.options.leaseMs > 0 ? leased : "";
    const told = leads && distinguishedLearner >= 0 ? `, learner-${distinguishedLearner} is told` : "";
    return [`${this.#describeState()}${seen}, chosen below ${chosenBelow}${queued}${lease}${told}`];
  }

  #describeState(): string {
    const { state, ballot } = this.#proposer;
    return state === "following" ? state : `${state} in ${describeBallot(ballot)}`;
  }

  #create(): Proposer {
    const { options } = this;
    const { topology, quorums, mode, retransmitMs, leaseMs, distinguishedLearner, random } = options;
    const { batchCommandsMax, lingerMs, adaptive, pipelineBatchesMax } = options;
    this.#incarnation = this.nextIncarnation();
    this.#state = "following";
    this.#chosenBelow = 0;
    this.#hadLease = false;
    this.#told = distinguishedLearner ? 0 : -1;
    return new Proposer({
      topology,
      quorums,
      index: this.index,
      incarnation: this.#incarnation,
      mode,
      batch: { commandsMax: batchCommandsMax, bytesMax: 1 << 16, lingerMs, adaptive },
      pipeline: { batchesMax: pipelineBatchesMax },
      retransmitMs,
      leaseMs,
      distinguishedLearner,
      ...(options.digest ? { digest: digestOf } : {}),
      random,
    });
  }
}
