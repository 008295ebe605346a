import { type Address, addressesOf, clientAddress, type Message } from "@synod/core";
import { describeAddresses, describeMessage } from "@synod/core/testing";
import { AcceptorActor } from "./actors/acceptor-actor.js";
import { ClientActor } from "./actors/client-actor.js";
import { LearnerActor } from "./actors/learner-actor.js";
import { ProposerActor } from "./actors/proposer-actor.js";
import type { ClusterOptions, ScriptActor, Step } from "./actors/script-actor.js";
import { damaged, describeWords } from "./payload.js";
import type { InFlight, Selector } from "./selector.js";

interface Transmission extends InFlight {
  readonly message: Message;
}

interface Delivery {
  readonly message: InFlight;
  /** What the receiver did. */
  readonly effects: readonly string[];
}

/** More deliveries than any script needs before nothing is under way. */
const deliveriesMax = 2000;

const nobody: ReadonlySet<Address> = new Set();

/** The actors of a script, and the messages between them. All that happens is that a command makes it happen. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #actors = new Map<Address, ScriptActor>();
  readonly #down = new Set<Address>();
  #inFlight: Transmission[] = [];
  #incarnation = 0;
  #now = 0;
  /** Width of the longest list of receivers. */
  readonly #width: number;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { proposers, acceptors, learners } = options.topology;
    this.#width = describeAddresses(addressesOf("acceptor", acceptors)).length;
    const nextIncarnation = () => ++this.#incarnation;
    for (let index = 0; index < proposers; index++)
      this.#add(new ProposerActor(options, index, nextIncarnation));
    for (let index = 0; index < acceptors; index++) this.#add(new AcceptorActor(options, index));
    for (let index = 0; index < learners; index++) this.#add(new LearnerActor(options, index));
  }

  get now(): number {
    return this.#now;
  }

  get addresses(): readonly Address[] {
    return [...this.#actors.keys()];
  }

  connect(index: number, answerer: number): readonly string[] {
    const address = clientAddress(index);
    if (this.#actors.has(address)) throw new Error(`${address} is connected already`);
    this.#add(new ClientActor(this.#options, index, answerer, this.#now));
    return this.#after(address, true);
  }

  actor(address: Address): ScriptActor {
    const actor = this.#actors.get(address);
    if (actor === undefined) throw new Error(`there is no ${address}`);
    return actor;
  }

  isDown(address: Address): boolean {
    return this.#down.has(address);
  }

  /** Has an actor do something, and tells what came of it. */
  act<Actor extends ScriptActor>(
    address: Address,
    kind: abstract new (...given: never[]) => Actor,
    action: (actor: Actor, now: number) => void,
  ): readonly string[] {
    const actor = this.#living(address);
    if (!(actor instanceof kind)) throw new Error(`${address} is not a ${kind.name}`);
    action(actor, this.#now);
    return this.#after(address, true);
  }

  /** What slow storage held back happens now. */
  release(address: Address): readonly string[] {
    const actor = this.#living(address);
    if (!(actor instanceof AcceptorActor)) throw new Error(`${address} has no storage`);
    return this.#tell(address, actor.release(), true);
  }

  messages(): readonly string[] {
    if (this.#inFlight.length === 0) return ["none"];
    return this.#inFlight.map(
      (message, index) => `${String(index + 1).padStart(2)}  ${this.#route(message, [message.to])}`,
    );
  }

  /** Delivers what is under way now and selected, in its order. What comes of it is told, but not delivered. */
  deliver(select: Selector): readonly string[] {
    return this.#tellDeliveries(this.#take(select).map(message => this.#deliver(message, true)));
  }

  /** Delivers what is selected, and what comes of it, until nothing is. */
  stabilize(select: Selector): readonly string[] {
    const deliveries: Delivery[] = [];
    for (let count = 0; count < deliveriesMax; count++) {
      const index = this.#inFlight.findIndex((message, position) => select(message, position + 1));
      if (index < 0) return this.#tellDeliveries(deliveries);
      const [message] = this.#inFlight.splice(index, 1);
      deliveries.push(this.#deliver(message as Transmission, false));
    }
    throw new Error(`not quiet after ${deliveriesMax} deliveries`);
  }

  drop(select: Selector): readonly string[] {
    return this.#tellDeliveries(this.#take(select).map(message => ({ message, effects: [] })));
  }

  /** A second copy of each comes after everything that is under way. */
  duplicate(select: Selector): readonly string[] {
    const copies = this.#inFlight.filter((message, index) => select(message, index + 1));
    this.#inFlight.push(...copies);
    return this.#tellDeliveries(copies.map(message => ({ message, effects: [] })));
  }

  /** Damages the values of what is selected and carries any. */
  corrupt(select: Selector): readonly string[] {
    const deliveries: Delivery[] = [];
    this.#inFlight = this.#inFlight.map((transmission, index) => {
      const { message } = transmission;
      if (!select(transmission, index + 1) || !("batch" in message) || message.batch === null)
        return transmission;
      const batch = damaged(message.batch);
      if (batch === undefined) return transmission;
      const damagedMessage = { ...message, batch };
      const text = describeMessage(damagedMessage, describeWords);
      const changed = { ...transmission, message: damagedMessage, text };
      deliveries.push({ message: changed, effects: [] });
      return changed;
    });
    return this.#tellDeliveries(deliveries);
  }

  tick(address: Address): readonly string[] {
    this.#living(address).tick(this.#now);
    return this.#after(address, true);
  }

  /** Time passes: whoever has a deadline until then is woken at it, but for those who are asleep. */
  advance(ms: number, asleep: ReadonlySet<Address>): readonly string[] {
    const end = this.#now + ms;
    const lines: string[] = [];
    for (;;) {
      const next = this.#nextDeadline(asleep);
      if (next === undefined || next.deadline > end) break;
      this.#now = Math.max(this.#now, next.deadline);
      const told = this.tick(next.address);
      lines.push(`at ${this.#now} ms ${next.address} ticks`, ...told.map(line => `  ${line}`));
      if (next.deadline <= this.#now) throw new Error(`${next.address} wants to be woken for ever`);
    }
    this.#now = end;
    return lines;
  }

  /** Time passes as in {@link advance}, and what is selected is delivered at the time at which it is sent. */
  run(ms: number, select: Selector): readonly string[] {
    const end = this.#now + ms;
    const lines = [...this.stabilize(select)];
    for (;;) {
      const next = this.#nextDeadline(nobody);
      if (next === undefined || next.deadline > end) break;
      lines.push(...this.advance(Math.max(0, next.deadline - this.#now), nobody), ...this.stabilize(select));
    }
    this.#now = end;
    return lines;
  }

  crash(address: Address): void {
    this.actor(address);
    this.#down.add(address);
  }

  restart(address: Address, keepsLease: boolean): readonly string[] {
    const actor = this.actor(address);
    const forgets = !keepsLease && actor instanceof AcceptorActor;
    const begins = forgets ? actor.restartWithoutLease(this.#now) : actor.restart(this.#now);
    this.#down.delete(address);
    return [`${address} starts with ${begins}`, ...this.#after(address, true)];
  }

  #living(address: Address): ScriptActor {
    if (this.isDown(address)) throw new Error(`${address} is down`);
    return this.actor(address);
  }

  #add(actor: ScriptActor): void {
    this.#actors.set(actor.address, actor);
  }

  #nextDeadline(asleep: ReadonlySet<Address>): ScriptActor | undefined {
    let next: ScriptActor | undefined;
    for (const actor of this.#actors.values()) {
      if (this.isDown(actor.address) || asleep.has(actor.address)) continue;
      if (actor.deadline < (next?.deadline ?? Number.POSITIVE_INFINITY)) next = actor;
    }
    return next;
  }

  #take(select: Selector): Transmission[] {
    const taken: Transmission[] = [];
    this.#inFlight = this.#inFlight.filter((message, index) => {
      if (!select(message, index + 1)) return true;
      taken.push(message);
      return false;
    });
    return taken;
  }

  #deliver(message: Transmission, tellSends: boolean): Delivery {
    const { from, to } = message;
    if (this.isDown(to)) return { message, effects: [`${to} is down`] };
    this.actor(to).receive(from, message.message, this.#now);
    return { message, effects: this.#after(to, tellSends) };
  }

  #after(address: Address, tellSends: boolean): readonly string[] {
    return this.#tell(address, this.actor(address).step(this.#now), tellSends);
  }

  #tell(from: Address, step: Step, tellSends: boolean): readonly string[] {
    const lines = [...step.lines];
    for (const { to, message } of step.send) {
      const text = describeMessage(message, describeWords);
      if (tellSends) lines.push(`${from} sends to ${describeAddresses(to)}: ${text}`);
      for (const address of to) this.#inFlight.push({ from, to: address, message, text });
    }
    return lines;
  }

  /** One line per message, then what it did. The same message to several actors in a row is told once. */
  #tellDeliveries(deliveries: readonly Delivery[]): readonly string[] {
    const lines: string[] = [];
    for (let at = 0; at < deliveries.length; ) {
      const { message } = deliveries[at] as Delivery;
      const row = rowOf(deliveries.slice(at));
      const receivers = row.map(delivery => delivery.message.to);
      lines.push(this.#route(message, receivers));
      for (const { effects } of row) lines.push(...effects.map(line => `  ${line}`));
      at += row.length;
    }
    return lines;
  }

  #route({ from, text }: InFlight, to: readonly Address[]): string {
    return `${from.padEnd(10)} -> ${describeAddresses(to).padEnd(this.#width)}  ${text}`;
  }
}

/** Those at the front that bring the same message of the same sender to different receivers. */
function rowOf(deliveries: readonly Delivery[]): readonly Delivery[] {
  const first = deliveries[0] as Delivery;
  const receivers = new Set<Address>();
  const end = deliveries.findIndex(({ message: { from, to, text } }) => {
    const ends = from !== first.message.from || text !== first.message.text || receivers.has(to);
    receivers.add(to);
    return ends;
  });
  return end < 0 ? deliveries : deliveries.slice(0, end);
}
