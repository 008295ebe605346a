import type { Address, Envelope, Message } from "../messages.js";
import { AcceptorHost, LearnerHost, ProposerHost } from "./actor-hosts.js";
import { Checker, CheckFailure } from "./checker.js";
import { ClientHost } from "./client-host.js";
import { EventQueue } from "./event-queue.js";
import { freezeDeep } from "./freeze-deep.js";
import { describeEvent, type SimulationEvent } from "./history.js";
import { drawProfile, type FaultKind, type Profile } from "./profile.js";
import { Random } from "./random.js";
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
const settleStepsMax = 40_000;
/** Steps that are kept to be shown. */
const historySteps = 60;
const actEveryMs = 25;
const stallMs = 400;
const clientsMax = 12;

interface Place {
  readonly host: Host;
  alive: boolean;
  frozenUntil: number;
  /** Until then nothing that it sends or is sent arrives. */
  isolatedUntil: number;
  tickAt: number;
}

/** One run: everything that happens in it follows from its options. */
class Simulation implements World {
  readonly profile: Profile;
  readonly checker: Checker;
  readonly counters = noCounters();
  readonly random: Random;
  readonly firstSequence: number;
  readonly #events = new EventQueue<SimulationEvent>();
  readonly #places = new Map<Address, Place>();
  /** By the addresses of both ends. */
  readonly #cutUntil = new Map<string, number>();
  readonly #proposers: ProposerHost[];
  readonly #clients: ClientHost[] = [];
  readonly #history: { readonly at: number; readonly event: SimulationEvent }[] = [];
  readonly #faultSteps: number;
  #incarnation = 0;
  #now = 1000;
  #ticking = false;
  #farewell = false;
  #learnedBefore = -1;
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
    const { topology, quorums, firstInstance } = this.profile;
    const { acceptors, learners } = topology;
    this.checker = new Checker({
      acceptors,
      learners,
      quorums,
      firstInstance,
      firstSequence: this.firstSequence,
    });
    const indexes = (count: number) => Array.from({ length: count }, (_, index) => index);
    const nextIncarnation = () => ++this.#incarnation;
    this.#proposers = indexes(topology.proposers).map(
      index => new ProposerHost(this, index, nextIncarnation),
    );
    for (const host of this.#proposers) this.#add(host);
    for (const index of indexes(acceptors)) this.#add(new AcceptorHost(this, index));
    for (const index of indexes(learners)) this.#add(new LearnerHost(this, index));
    for (let client = 0; client < this.profile.clients; client++) this.#addClient();
    this.#events.add(this.#now, { kind: "campaign" });
  }

  get faulty(): boolean {
    return this.steps < this.#faultSteps;
  }

  get done(): boolean {
    if (this.faulty || !this.#farewell) return false;
    return this.checker.learnersAgree() && this.#clients.every(client => client.closed || client.settled);
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
    if (this.steps === this.#faultSteps) this.#stopFaults();
    if (this.steps > this.#faultSteps + settleStepsMax) {
      throw new CheckFailure("everything settles after the faults stop");
    }
  }

  send(host: Host, envelopes: readonly Envelope[]): void {
    for (const { to, message } of envelopes) {
      freezeDeep(message);
      this.checker.onSend(host.role, host.index, message);
      this.#count(message);
      for (const address of to) this.#transmit(host.address, address, message);
    }
  }

  crash(host: Host): void {
    const place = this.#places.get(host.address);
    if (place === undefined || !place.alive) return;
    place.alive = false;
    place.tickAt = Number.POSITIVE_INFINITY;
    this.counters.crashes += 1;
    this.#events.add(this.#now + this.random.between(5, 300), { kind: "restart", host: host.address });
  }

  #add(host: Host): void {
    const place = { host, alive: true, frozenUntil: 0, isolatedUntil: 0, tickAt: Number.POSITIVE_INFINITY };
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

  #transmit(from: Address, to: Address, message: Message): void {
    const { faults, delayMsMax, trimming } = this.profile;
    const { random } = this;
    if (message.type === "progress" && !trimming) return;
    if (!this.faulty) return this.#events.add(this.#now + 1, { kind: "deliver", from, to, message });
    if (
      random.chance(faults.drop) ||
      this.#isIsolated(from) ||
      this.#isIsolated(to) ||
      this.#isCut(from, to)
    ) {
      this.counters.drops += 1;
      return;
    }
    const copies = random.chance(faults.duplicate) ? 2 : 1;
    this.counters.duplicates += copies - 1;
    for (let copy = 0; copy < copies; copy++) {
      const late = random.chance(faults.reorder) ? 10 : 1;
      const at = this.#now + random.between(1, delayMsMax * late);
      this.#events.add(at, { kind: "deliver", from, to, message });
    }
  }

  #isCut(from: Address, to: Address): boolean {
    return (this.#cutUntil.get(`${from} ${to}`) ?? 0) > this.#now;
  }

  /** Cuts some of a proposer's links to acceptors, so that different leaders reach different ones. */
  #cutLinks(proposer: Host): void {
    for (const { host } of this.#places.values()) {
      if (host.role !== "acceptor" || !this.random.chance(this.profile.faults.cut)) continue;
      this.counters.cuts += 1;
      const until = this.#now + this.random.between(20, 300);
      this.#cutUntil.set(`${proposer.address} ${host.address}`, until);
      if (this.random.chance(0.5)) this.#cutUntil.set(`${host.address} ${proposer.address}`, until);
    }
  }

  #isIsolated(address: Address): boolean {
    return (this.#places.get(address)?.isolatedUntil ?? 0) > this.#now;
  }

  #handle(event: SimulationEvent): void {
    switch (event.kind) {
      case "campaign":
        return this.#onCampaign();
      case "restart": {
        const place = this.#places.get(event.host) as Place;
        if (place.alive) return;
        place.alive = true;
        place.host.restart(this.#now);
        if (place.host instanceof ProposerHost && this.random.chance(0.5)) place.host.campaign(this.#now);
        return this.#after(place);
      }
      case "act": {
        const place = this.#places.get(event.host) as Place;
        const host = place.host as ClientHost;
        if (!this.faulty || host.closed) return;
        if (!host.act(this.#now)) this.#addClient();
        this.#after(place);
        this.#events.add(this.#now + this.random.between(1, 2 * actEveryMs), event);
        return;
      }
      default: {
        const place = this.#places.get(event.kind === "deliver" ? event.to : event.host);
        if (place === undefined || !place.alive) return;
        if (place.frozenUntil > this.#now) return this.#events.add(place.frozenUntil, event);
        return this.#onHostEvent(place, event);
      }
    }
  }

  #onHostEvent(place: Place, event: Extract<SimulationEvent, { kind: "deliver" | "tick" | "flush" }>): void {
    const { host } = place;
    if (event.kind === "flush") return this.#after(place);
    if (event.kind === "tick") {
      if (event.at !== place.tickAt) return;
      place.tickAt = Number.POSITIVE_INFINITY;
      this.#ticking = true;
      host.tick(this.#now);
      this.#after(place);
      this.#ticking = false;
      return;
    }
    if (this.#mishap(place)) return;
    host.receive(event.from, event.message, this.#now);
    if (this.faulty && this.random.chance(this.profile.lateFlush)) {
      this.#events.add(this.#now + this.random.between(0, 10), { kind: "flush", host: host.address });
    } else this.#after(place);
  }

  /** A host may crash or freeze before it takes a message. */
  #mishap(place: Place): boolean {
    if (!this.faulty) return false;
    const { host } = place;
    const { faults } = this.profile;
    if (this.random.chance(faults.freeze)) {
      place.frozenUntil = this.#now + this.random.between(10, 400);
      this.counters.freezes += 1;
    }
    if (this.random.chance(faults.isolate)) {
      place.isolatedUntil = this.#now + this.random.between(10, 300);
      this.counters.isolations += 1;
    }
    const crashes =
      host.role === "proposer"
        ? faults.crashProposer
        : host.role === "learner"
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
    const { host } = place;
    host.flush(this.#now);
    if (!place.alive) return;
    const at = Math.max(host.deadline, this.#now);
    if (at >= place.tickAt || at === Number.POSITIVE_INFINITY) return;
    place.tickAt = at;
    this.#events.add(at, { kind: "tick", host: host.address, at });
  }

  /**
   * With faults, attempts to lead come at any time; later only when some learner stands still. Votes may be split over
   * ballots, so that only a new ballot can show that learner what was chosen.
   */
  #onCampaign(): void {
    const stalled = this.#learnedBefore === this.checker.learnedBelow;
    this.#learnedBefore = this.checker.learnedBelow;
    if (!this.faulty) this.#sayFarewell();
    if (this.faulty || stalled) {
      const host = this.random.pick(this.#proposers);
      const place = this.#places.get(host.address) as Place;
      if (place.alive && place.frozenUntil <= this.#now) {
        if (this.faulty) this.#cutLinks(host);
        host.campaign(this.#now);
        this.#after(place);
      }
    }
    const wait = this.faulty ? this.random.between(1, 2 * this.profile.campaignEveryMs) : stallMs;
    this.#events.add(this.#now + wait, { kind: "campaign" });
  }

  #stopFaults(): void {
    for (const place of this.#places.values()) {
      place.frozenUntil = 0;
      if (place.alive) continue;
      place.alive = true;
      place.host.restart(this.#now);
      this.#after(place);
    }
  }

  /** The last command of every client shows learners that missed the end of the log that there is more. */
  #sayFarewell(): void {
    if (this.#farewell) return;
    const open = this.#clients.filter(client => !client.closed);
    if (!open.every(client => client.settled)) return;
    this.#farewell = true;
    for (const client of open) {
      client.submit(1, this.#now);
      this.#after(this.#places.get(client.address) as Place);
    }
  }

  #count(message: Message): void {
    const { counters } = this;
    switch (message.type) {
      case "fetch":
        counters.fetches += 1;
        return;
      case "sequenceGap":
        counters.gaps += 1;
        return;
      case "sessionOpened":
        counters.sessions += 1;
        return;
      case "notLeader":
        counters.redirects += 1;
        return;
      case "promise":
        if (message.part > 0) counters.parts += 1;
        return;
      case "prepare":
        if (this.#ticking) counters.retransmissions += 1;
        return;
      case "accept":
        if (this.#ticking) counters.retransmissions += 1;
        for (const segment of message.batch.segments) {
          if (segment.kind === "commands" && segment.skip > 0) counters.slices += 1;
          if (segment.kind === "fill") counters.fills += 1;
          if (segment.kind === "noop") counters.noops += 1;
        }
    }
  }
}

/** Runs one simulation to its end, or to the first thing that is broken. */
export function simulate(options: SimulationOptions): SimulationResult {
  const simulation = new Simulation(options);
  let violation: string | undefined;
  try {
    while (!simulation.done) simulation.step();
  } catch (error) {
    violation = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
  const { profile, steps, counters } = simulation;
  const history = violation === undefined ? [] : simulation.history;
  return { seed: options.seed, profile, steps, counters, violation, history };
}
