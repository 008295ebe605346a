import {
  Acceptor,
  type AcceptorRecord,
  type AcceptorState,
  type Address,
  actorAddress,
  type Envelope,
  type Lease,
  type Message,
  recoverAcceptor,
} from "@synod/core";
import { describeBallot, describeEntry } from "@synod/core/testing";
import { describeWords } from "../payload.js";
import { type ClusterOptions, describeLease, type ScriptActor, type Step } from "./script-actor.js";

export class AcceptorActor implements ScriptActor {
  readonly address: Address;
  readonly deadline = Number.POSITIVE_INFINITY;
  readonly #records: AcceptorRecord[] = [];
  /** What a slow storage has been given and has not made safe, with the answers that wait for it. */
  #held: { readonly persist: AcceptorRecord[]; readonly send: Envelope[] } | undefined;
  #acceptor: Acceptor;
  #isFull = false;

  constructor(
    readonly options: ClusterOptions,
    readonly index: number,
  ) {
    this.address = actorAddress("acceptor", index);
    const { firstInstance } = options;
    if (firstInstance > 0) this.#records.push({ kind: "trim", below: firstInstance });
    this.#acceptor = this.#create(firstInstance > 0 ? recoverAcceptor(this.#records) : undefined, 0);
  }

  receive(from: Address, message: Message, now: number): void {
    this.#acceptor.receive(from, message, now);
  }

  tick(): void {}

  step(): Step {
    const { persist, send } = this.#acceptor.takeReady();
    if (this.#held === undefined) return { lines: this.#persist(persist), send };
    this.#held.persist.push(...persist);
    this.#held.send.push(...send);
    const waiting = persist.map(record => `${this.address} has yet to persist ${describeRecord(record)}`);
    return { lines: waiting, send: [] };
  }

  /** From now on storage has no room for values, or has it again. */
  setFull(isFull: boolean): void {
    this.#isFull = isFull;
  }

  /** From now on storage takes its time. */
  hold(): void {
    this.#held ??= { persist: [], send: [] };
  }

  /** Storage has made everything safe. */
  release(): Step {
    const { persist = [], send = [] } = this.#held ?? {};
    this.#held = undefined;
    return { lines: this.#persist(persist), send };
  }

  restart(now: number): string {
    return this.#restart(recoverAcceptor(this.#records), now);
  }

  /** Storage has kept everything but the lease. */
  restartWithoutLease(now: number): string {
    return this.#restart({ ...recoverAcceptor(this.#records), lease: undefined }, now);
  }

  status(): readonly string[] {
    return describeState(recoverAcceptor(this.#records), this.#acceptor.lease);
  }

  #restart(state: AcceptorState, now: number): string {
    this.#held = undefined;
    this.#acceptor = this.#create(state, now);
    return describeState(state, this.#acceptor.lease).join("; ");
  }

  #persist(records: readonly AcceptorRecord[]): string[] {
    this.#records.push(...records);
    return records.map(record => `${this.address} persists ${describeRecord(record)}`);
  }

  #create(state: AcceptorState | undefined, now: number): Acceptor {
    const { topology, leaseMs, promisePartBytesMax } = this.options;
    const bounds = { promisePartBytesMax, fetchBytesMax: 1 << 16 };
    return new Acceptor({ topology, leaseMs, bounds, hasRoom: () => !this.#isFull }, state, now);
  }
}

function describeRecord(record: AcceptorRecord): string {
  switch (record.kind) {
    case "promise":
      return `promise ${describeBallot(record.ballot)}`;
    case "accept":
      return `${describeEntry(record.entry, describeWords)}${describeLease(record.leaseUntil)}`;
    case "lease":
      return `promise ${describeBallot(record.ballot)}${describeLease(record.leaseUntil)}`;
    case "trim":
      return `trim below ${record.below}`;
  }
}

function describeState({ promised, trimmedBelow, accepted }: AcceptorState, lease: Lease): string[] {
  const trimmed = trimmedBelow > 0 ? `, trimmed below ${trimmedBelow}` : "";
  const leased = lease.until > 0 ? `, leased to ${describeBallot(lease.ballot)} until ${lease.until} ms` : "";
  return [
    `promised ${describeBallot(promised)}${leased}${trimmed}`,
    ...accepted.map(entry => describeEntry(entry, describeWords)),
  ];
}
