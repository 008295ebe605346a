import type { Address, Envelope, Message } from "../messages.js";
import { indexOf } from "../roles.js";
import { AcceptorHost, ProposerHost } from "./actor-hosts.js";
import { Checker, CheckFailure } from "./checker.js";
import { ClientHost } from "./client-host.js";
import { countMessage } from "./count-message.js";
import { EventQueue } from "./event-queue.js";
import { freezeDeep } from "./freeze-deep.js";
import { describeEvent, type SimulationEvent } from "./history.js";
import { LearnerHost } from "./learner-host.js";
import { Links, sideOf } from "./links.js";
import { ObserverHost } from "./observer-host.js";
import { Operations } from "./operations.js";
import { drawProfile, type FaultKind, graceMs, type Profile } from "./profile.js";
import { Random } from "./random.js";
import { SnapshotStore } from "./snapshot-store.js";
import { corrupted } from "./values.js";
import { type Counters, type Host, noCounters, type World } from "./world.js";

export interface SimulationOptions {
  readonly seed: number;
  /** Steps with faults; drawn from the seed when left out. */
  readonly faultSteps?: number;
  /** Faults that are switched off. */
  readonly without?: readonly FaultKind[];
  /** Replaces what the seed draws. */
  readonly profile?: Partial<Omit<Profile, "faults">>;
  readonly faults?: Partial<Profile["faults"]>;
  /** First sequence number of every session: 1, unless the roles were changed to match. */
  readonly firstSequence?: number;
}

export interface SimulationResult {
  readonly seed: number;
  readonly profile: Profile;
  readonly steps: number;
  readonly counters: Counters;
  /** What was broken, in words; `undefined` when nothing was. */
  readonly violation: string | undefined;
  /** The last steps, one line each, when something was broken. */
  readonly history: readonly string[];
}

/** After the faults have stopped, everything must settle within so many steps. */
const settleStepsMax = 80_000;
/** Steps that are kept to be shown. */
const historySteps = 60;
const actEveryMs = 25;
const idleActMs = 150;
const clientsMax = 12;
/** A client that sleeps does so for this many times its session's time-out. */
const sleepTimeouts = 1.5;

interface Place {
  readonly host: Host;
  alive: boolean;
  /** Which of the host's lives this is: a call that a crash has cut off is never finished. */
  life: number;
  frozenUntil: number;
  /** Until then nothing that it sends or is sent arrives. */
  isolatedUntil: number;
  tickAt: number;
  /** It has looked at the clock and is frozen before its call: nothing else happens to it until that is done. */
  isStalled: boolean;
}

type Call = Extract<SimulationEvent, { kind: "call" }>["call"];

/** One run: everything that happens in it follows from its options. */
class Simulation implements World {
  readonly profile: Profile;
  readonly checker: Checker;
  readonly operations: Operations;
  readonly counters = noCounters();
  readonly random: Random;
  readonly firstSequence: number;
  readonly snapshots = new SnapshotStore();
  readonly #events = new EventQueue<SimulationEvent>();
  readonly #places = new Map<Address, Place>();
  readonly #links = new Links();
  readonly #proposers: ProposerHost[];
  readonly #learners: LearnerHost[];
  readonly #clients: ClientHost[] = [];
  readonly #observers: ObserverHost[] = [];
  readonly #history: { readonly at: number; readonly event: SimulationEvent }[] = [];
  readonly #faultSteps: number;
  #incarnation = 0;
  #observersJoined = 0;
  #now = 1000;
  #ticking = false;
  #faultlessSince = Number.POSITIVE_INFINITY;
  #deadForEver: Host | undefined;
  /** Clients whose sessions have come through the faults: they must stay. */
  #living: readonly ClientHost[] | undefined;
  steps = 0;

  constructor(options: SimulationOptions) {
    const random = new Random(options.seed);
    const drawn = drawProfile(random.fork());
    const faults = { ...drawn.faults, ...options.faults };
    for (const kind of options.without ?? []) faults[kind] = 0;
    this.profile = { ...drawn, ...options.profile, faults };
    this.random = random;
    this.firstSequence = options.firstSequence ?? 1;
    this.#faultSteps = options.faultSteps ?? this.profile.faultSteps;
    const { topology, quorums, firstInstance, sessionTimeoutMs, tailInstances } = this.profile;
    const { acceptors, learners } = topology;
    const now = () => this.#now;
    const { firstSequence } = this;
    const sizes = { acceptors, learners, quorums, observers: this.profile.observers };
    this.checker = new Checker({
      ...sizes,
      firstInstance,
      firstSequence,
      sessionTimeoutMs,
      tailInstances,
      now,
    });
    this.operations = new Operations(now);
    const indexes = (count: number) => Array.from({ length: count }, (_, index) => index);
    const nextIncarnation = () => ++this.#incarnation;
    this.#proposers = indexes(topology.proposers).map(
      index => new ProposerHost(this, index, nextIncarnation),
    );
    for (const index of indexes(acceptors)) this.#add(new AcceptorHost(this, index));
    this.#learners = indexes(learners).map(index => new LearnerHost(this, index));
    for (const host of this.#learners) this.#add(host);
    for (const host of this.#proposers) {
      host.start(this.#now);
      this.#add(host);
    }
    for (let client = 0; client < this.profile.clients; client++) this.#addClient();
    for (const index of indexes(this.profile.observers)) this.#addObserver(index);
    this.#events.add(this.#now, { kind: "unrest" });
  }

  get faulty(): boolean {
    return this.steps < this.#faultSteps;
  }

  get now(): number {
    return this.#now;
  }

  get faultlessMs(): number {
    return this.#now - this.#faultlessSince;
  }

  mustLive(host: Host): boolean {
    return this.#living?.some(client => client === host) ?? false;
  }

  get done(): boolean {
    if (this.faulty || this.#now < this.#faultlessSince + this.profile.idleMs) return false;
    if (!this.checker.learnersAgree() || this.#learnersBusy().length > 0) return false;
    return this.#observers.every(({ settled }) => settled) && this.#clients.every(isSettled);
  }

  /** Judges the run as a whole. */
  conclude(): void {
    const problem = this.operations.violation();
    if (problem !== undefined) throw new CheckFailure(problem);
    for (const client of this.#living ?? []) {
      if (!client.gone) this.checker.onLiving(client.session);
    }
  }

  get history(): readonly string[] {
    return this.#history.slice(-historySteps).map(({ at, event }) => `${at} ms  ${describeEvent(event)}`);
  }

  step(): void {
    const next = this.#events.take();
    if (next === undefined) throw new CheckFailure("something always happens next");
    this.#now = next.at;
    this.steps += 1;
    this.#history.push(next);
    if (this.#history.length > 4 * historySteps) this.#history.splice(0, 3 * historySteps);
    this.#handle(next.event);
    if (this.faultlessMs > graceMs(this.profile)) {
      this.#living ??= this.#clients.filter(({ session = -1 }) => this.checker.sessions.isOpen(session));
    }
    if (this.steps === this.#faultSteps) this.#stopFaults();
    if (this.steps > this.#faultSteps + settleStepsMax) {
      throw new CheckFailure(`everything settles after the faults stop: ${this.#unsettled().join(", ")}`);
    }
  }

  send(host: Host, envelopes: readonly Envelope[]): void {
    for (const { to, message } of envelopes) {
      freezeDeep(message);
      this.checker.onSend(host.role, host.index, message);
      countMessage(this.counters, message, this.#ticking);
      if (message.type === "progress" && host.role === "observer") this.counters.stuckObservers += 1;
      for (const address of to) {
        if (message.type === "chosen" && indexOf("learner", address) < 0) this.counters.feeds += 1;
        if (message.type === "read") this.checker.onRead(host.address, message.id);
        if (message.type === "readReady") this.checker.onReadReady(address, message.id, message.readBelow);
        this.#transmit(host.address, address, message);
      }
    }
  }

  crash(host: Host): void {
    const place = this.#places.get(host.address);
    if (place === undefined || !place.alive) return;
    place.alive = false;
    place.life += 1;
    place.isStalled = false;
    place.tickAt = Number.POSITIVE_INFINITY;
    host.crash();
    this.counters.crashes += 1;
    this.#events.add(this.#now + this.random.between(5, 300), { kind: "restart", host: host.address });
  }

  #unsettled(): string[] {
    const clients = this.#clients.filter(client => !isSettled(client));
    const waiting = clients.map(client => `${client.address} ${client.waitsFor}`);
    for (const { settled, address } of this.#observers) if (!settled) waiting.push(`${address} syncs`);
    const learners = this.checker.learnersAgree() ? this.#learnersBusy() : ["learners do not agree"];
    return [...waiting, ...learners];
  }

  /** What learners still have to do, or to say of each other. */
  #learnersBusy(): string[] {
    const alive = this.#learners.filter(({ index }) => !this.checker.isGone(index));
    const busy = alive.filter(({ isQuiet }) => !isQuiet).map(({ address }) => `${address} is busy`);
    for (const one of alive) {
      for (const other of alive) {
        if (one.index >= other.index || this.checker.isReported(one.index, other.index)) continue;
        const { samples } = this.checker;
        if (String(samples.sampledBy(one.index)) === String(samples.sampledBy(other.index))) continue;
        busy.push(`${one.address} and ${other.address} differ`);
      }
    }
    return busy;
  }

  #add(host: Host): void {
    const place: Place = {
      host,
      alive: true,
      life: 0,
      frozenUntil: 0,
      isolatedUntil: 0,
      tickAt: Number.POSITIVE_INFINITY,
      isStalled: false,
    };
    this.#places.set(host.address, place);
    this.#after(place);
  }

  #addClient(): void {
    if (this.#clients.length >= clientsMax) return;
    const host = new ClientHost(this, this.#clients.length, this.#now);
    this.#clients.push(host);
    this.#add(host);
    this.#events.add(this.#now + this.random.between(1, actEveryMs), { kind: "act", host: host.address });
  }

  /** With a number of its own: what was meant for one that has died reaches nobody. */
  #addObserver(index: number): void {
    const host = new ObserverHost(this, index, this.#observersJoined++, this.#now);
    this.#observers[index] = host;
    this.#add(host);
    this.#events.add(this.#now + this.random.between(1, actEveryMs), { kind: "act", host: host.address });
  }

  /** An actor, or a thread with a replica, is back after it died. */
  #restart(place: Place): void {
    const { host } = place;
    if (host instanceof ObserverHost) {
      this.#places.delete(host.address);
      return this.#addObserver(host.index);
    }
    place.alive = true;
    host.restart(this.#now);
    this.#after(place);
  }

  #transmit(from: Address, to: Address, message: Message): void {
    const { faults, delayMsMax, trimming } = this.profile;
    const { random } = this;
    if (message.type === "progress" && !message.stuck && !trimming) return;
    if (!this.faulty) return this.#events.add(this.#now + 1, { kind: "deliver", from, to, message });
    if (
      random.chance(faults.drop) ||
      this.#isIsolated(from) ||
      this.#isIsolated(to) ||
      this.#links.isCut(from, to, this.#now)
    ) {
      this.counters.drops += 1;
      return;
    }
    const copies = random.chance(faults.duplicate) ? 2 : 1;
    this.counters.duplicates += copies - 1;
    for (let copy = 0; copy < copies; copy++) {
      const late = random.chance(faults.reorder) ? 10 : 1;
      const at = this.#now + random.between(1, delayMsMax * late);
      this.#events.add(at, { kind: "deliver", from, to, message: this.#damage(to, message) });
    }
  }

  /** Damages a value that a learner is told, where a digest can show it. */
  #damage(to: Address, message: Message): Message {
    if (message.type !== "accept" || message.source === null) return message;
    const learner = indexOf("learner", to);
    const { firstInstance, source } = message;
    const isWhole = source.firstInstance === firstInstance && source.count === message.batch.count;
    if (learner < 0 || !isWhole || !this.random.chance(this.profile.faults.corrupt)) return message;
    const batch = corrupted(message.batch);
    if (batch === undefined) return message;
    this.checker.onCorrupted(learner);
    return { ...message, batch };
  }

  /** Parts a leader from the rest for a while. */
  #splitOff(leader: Host): void {
    const hosts = [...this.#places.values()].map(({ host }) => host);
    const left = sideOf(leader, hosts, this);
    const forMs = this.random.between(100, 800);
    this.counters.splits += 1;
    // Half of them sleep through it, and find answers from before among what came since.
    if (this.random.chance(0.5)) this.#freeze(leader, forMs - 50);
    this.#links.part(
      hosts.filter(left),
      hosts.filter(host => !left(host)),
      this.#now + forMs,
    );
  }

  #freeze(host: Host, forMs: number): void {
    const place = this.#places.get(host.address);
    if (place === undefined) return;
    place.frozenUntil = Math.max(place.frozenUntil, this.#now + forMs);
    this.counters.freezes += 1;
  }

  #isIsolated(address: Address): boolean {
    return (this.#places.get(address)?.isolatedUntil ?? 0) > this.#now;
  }

  #handle(event: SimulationEvent): void {
    switch (event.kind) {
      case "unrest":
        return this.#onUnrest();
      case "restart": {
        const place = this.#places.get(event.host);
        if (place === undefined || place.alive || place.host === this.#deadForEver) return;
        return this.#restart(place);
      }
      case "act":
        return this.#onAct(event);
      case "call": {
        const place = this.#places.get(event.host);
        if (place?.life !== event.life) return;
        place.isStalled = false;
        return this.#finish(place, event.call, event.sampledAt);
      }
      default: {
        const place = this.#places.get(event.kind === "deliver" ? event.to : event.host);
        if (place === undefined || !place.alive) return;
        // A thread that wakes up late reads its mail before any of its time-outs fires.
        const wakesAt = place.frozenUntil + (event.kind === "tick" ? 1 : 0);
        if (place.frozenUntil > this.#now || place.isStalled) return this.#events.add(wakesAt, event);
        return this.#onHostEvent(place, event);
      }
    }
  }

  #onAct(event: Extract<SimulationEvent, { kind: "act" }>): void {
    const place = this.#places.get(event.host);
    if (place === undefined) return;
    if (place.host instanceof ObserverHost) return this.#onObserverAct(place, place.host, event);
    const host = place.host as ClientHost;
    if (!this.faulty) return this.#idle(place, host, event);
    if (place.frozenUntil > this.#now) return this.#events.add(place.frozenUntil, event);
    if (!host.act(this.#now)) {
      this.#after(place);
      return this.#addClient();
    }
    this.#after(place);
    const { sessionTimeoutMs, faults } = this.profile;
    if (this.random.chance(faults.sleep)) place.frozenUntil = this.#now + sleepTimeouts * sessionTimeoutMs;
    this.#events.add(this.#now + this.random.between(1, 2 * actEveryMs), event);
  }

  #onObserverAct(place: Place, host: ObserverHost, event: Extract<SimulationEvent, { kind: "act" }>): void {
    if (!this.faulty || !place.alive) return;
    this.#events.add(Math.max(place.frozenUntil, this.#now + this.random.between(1, 4 * actEveryMs)), event);
    if (place.frozenUntil > this.#now || place.isStalled) return;
    host.act(this.#now);
    this.#after(place);
  }

  /** One client goes on, which moves logical time; the others have nothing to do and must stay known. */
  #idle(place: Place, host: ClientHost, event: SimulationEvent): void {
    if (this.faultlessMs >= this.profile.idleMs || host.gone) return;
    if (this.#clients.find(client => !client.gone) === host) host.submit(1, this.#now);
    this.#after(place);
    this.#events.add(this.#now + idleActMs, event);
  }

  #onHostEvent(place: Place, event: Extract<SimulationEvent, { kind: "deliver" | "tick" | "flush" }>): void {
    if (event.kind === "flush") return this.#after(place);
    if (event.kind === "tick") {
      if (event.at !== place.tickAt) return;
      place.tickAt = Number.POSITIVE_INFINITY;
      return this.#begin(place, { kind: "tick" });
    }
    if (this.#mishap(place)) return;
    this.#begin(place, { kind: "receive", from: event.from, message: event.message });
  }

  /** The host looks at the clock and makes a call, maybe much later: it may freeze in between. */
  #begin(place: Place, call: Call): void {
    const sampledAt = this.#now;
    const { stall } = this.profile.faults;
    if (!this.faulty || stall === 0 || place.host.role === "client" || !this.random.chance(stall)) {
      return this.#finish(place, call, sampledAt);
    }
    this.counters.stalls += 1;
    place.isStalled = true;
    place.frozenUntil = this.#now + this.random.between(10, 600);
    const event = { kind: "call", host: place.host.address, life: place.life, sampledAt, call } as const;
    this.#events.add(place.frozenUntil, event);
  }

  #finish(place: Place, call: Call, sampledAt: number): void {
    const { host } = place;
    switch (call.kind) {
      case "receive":
        host.receive(call.from, call.message, sampledAt);
        if (this.faulty && this.random.chance(this.profile.lateFlush)) {
          this.#events.add(this.#now + this.random.between(0, 10), { kind: "flush", host: host.address });
          return;
        }
        return this.#after(place);
      case "tick":
        this.#ticking = true;
        host.tick(sampledAt);
        this.#after(place);
        this.#ticking = false;
        return;
      case "flush":
        host.flush(sampledAt);
        return this.#scheduleTick(place);
    }
  }

  /** A host may crash or freeze before it takes a message. */
  #mishap(place: Place): boolean {
    if (!this.faulty) return false;
    const { host } = place;
    const { faults } = this.profile;
    if (this.random.chance(faults.freeze)) {
      this.#freeze(host, this.random.between(10, 400));
    }
    if (this.random.chance(faults.isolate)) {
      place.isolatedUntil = this.#now + this.random.between(20, 600);
      this.counters.isolations += 1;
    }
    const learns = host.role === "learner" || host.role === "observer";
    if (learns && this.random.chance(faults.straggle)) {
      place.isolatedUntil = this.#now + this.random.between(100, 800);
      this.counters.isolations += 1;
    }
    const crashes =
      host.role === "proposer"
        ? faults.crashProposer
        : learns
          ? faults.crashLearner
          : host.role === "acceptor"
            ? faults.crashAcceptor / 2
            : 0;
    if (crashes > 0 && this.random.chance(crashes)) {
      this.crash(host);
      return true;
    }
    return false;
  }

  #after(place: Place): void {
    this.#begin(place, { kind: "flush" });
  }

  #scheduleTick(place: Place): void {
    const { host } = place;
    if (!place.alive) return;
    const at = Math.max(host.deadline, this.#now);
    if (at >= place.tickAt || at === Number.POSITIVE_INFINITY) return;
    place.tickAt = at;
    this.#events.add(at, { kind: "tick", host: host.address, at });
  }

  /** Somebody stands for election although another may lead, or hands over, or links are cut. */
  #onUnrest(): void {
    if (!this.faulty) return;
    const { faults, unrestEveryMs } = this.profile;
    const leader = this.#proposers.find(({ leads }) => leads);
    if (leader !== undefined && this.random.chance(faults.split)) this.#splitOff(leader);
    const host = this.random.pick(this.#proposers);
    const place = this.#places.get(host.address) as Place;
    if (place.alive && place.frozenUntil <= this.#now) {
      const others = [...this.#places.values()].map(place => place.host);
      this.counters.cuts += this.#links.cutSome(host, others, this);
      if (this.random.chance(faults.impatience)) host.campaign(this.#now);
      if (this.random.chance(faults.transfer)) {
        host.transferLeadership(this.random.below(this.#proposers.length), this.#now);
      }
      this.#after(place);
    }
    this.#events.add(this.#now + this.random.between(1, 2 * unrestEveryMs), { kind: "unrest" });
  }

  #stopFaults(): void {
    this.#faultlessSince = this.#now;
    this.#deadForEver = this.#pickDead();
    if (this.#deadForEver !== undefined) {
      this.crash(this.#deadForEver);
      if (this.#deadForEver.role === "learner") this.checker.onLearnerGone(this.#deadForEver.index);
    }
    for (const place of [...this.#places.values()]) {
      // An actor that is stalled in a call finishes it when it wakes up; a sleeping client wakes up at once.
      if (place.host.role === "client" && place.frozenUntil > this.#now) {
        place.frozenUntil = 0;
        place.tickAt = Number.POSITIVE_INFINITY;
        this.#after(place);
      }
      if (!place.alive && place.host !== this.#deadForEver) this.#restart(place);
    }
  }

  /** Somebody whom the others can do without. */
  #pickDead(): Host | undefined {
    const { deadForEver, topology, quorums } = this.profile;
    const { proposers, acceptors, learners } = topology;
    const isSpare = {
      nobody: false,
      proposer: proposers > 1,
      acceptor: acceptors > Math.max(quorums.prepare, quorums.accept),
      learner: learners > 1,
    };
    if (!isSpare[deadForEver]) return undefined;
    const hosts = [...this.#places.values()].map(({ host }) => host);
    return this.random.pick(hosts.filter(({ role }) => role === deadForEver));
  }
}

const isSettled = (client: ClientHost): boolean => client.gone || client.settled;

/** Runs one simulation to its end, or to the first thing that is broken. */
export function simulate(options: SimulationOptions): SimulationResult {
  const simulation = new Simulation(options);
  let violation: string | undefined;
  try {
    while (!simulation.done) simulation.step();
    simulation.conclude();
  } catch (error) {
    violation = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
  const { profile, steps, counters } = simulation;
  const history = violation === undefined ? [] : simulation.history;
  return { seed: options.seed, profile, steps, counters, violation, history };
}
