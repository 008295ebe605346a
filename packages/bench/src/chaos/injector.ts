import type { Cluster } from "@synod/runtime";
import { SynodError } from "@synod/runtime";
import { monotonicMs } from "@synod/runtime/internal";
import type { ChaosMachine } from "./machine.js";
import type { Fault, FaultKind } from "./schedule.js";

type Part = Fault["parts"][number];

/** Who can be struck: all actors of a cluster. */
export interface Actors {
  readonly proposers: readonly string[];
  readonly acceptors: readonly string[];
  readonly learners: readonly string[];
  /** Acceptors that may be away at once, so that both quorums are left. */
  readonly sparedAcceptors: number;
}

/** The part of a run that kills and bursts clients. */
export interface StruckClients {
  readonly alive: readonly number[];
  kill(choice: number): Promise<{ readonly killed: number; readonly replacement: number }>;
  burst(factor: number, durationMs: number): void;
}

/** A fault that has struck. Times on the process's clock, in milliseconds. */
export interface Struck {
  readonly kind: FaultKind;
  /** Who was struck, and how, for people. */
  readonly what: string;
  readonly calledAtMs: number;
  readonly struckAtMs: number;
  /** Client threads that are to be answered again. */
  readonly clients: readonly number[];
}

/** What a transfer may fail with while threads die: nothing that its caller could rule out. */
const transferFailures: readonly string[] = ["NO_LEADER", "TIMEOUT", "ACTOR_FAILED"];
/** A fault waits so long, in milliseconds, for somebody whom it may strike; then the cluster has not healed. */
const healWithinMs = 30_000;
const healPollMs = 5;

/** Lets faults happen to a cluster, and keeps in mind who is away, so that no more acceptors are than may be. */
export class FaultInjector {
  readonly #cluster: Cluster<ChaosMachine>;
  readonly #actors: Actors;
  readonly #clients: StruckClients;
  /** Until when an actor is away, on the process's clock; for ever until it comes back. */
  readonly #awayUntilMs = new Map<string, number>();
  /** By actor: all that share its thread, itself included. */
  #mates: ReadonlyMap<string, readonly string[]> = new Map();
  #leader: string | null = null;

  constructor(cluster: Cluster<ChaosMachine>, actors: Actors, clients: StruckClients) {
    this.#cluster = cluster;
    this.#actors = actors;
    this.#clients = clients;
    cluster.on("leaderChanged", ({ leader }) => {
      this.#leader = leader;
    });
    cluster.on("actorDown", ({ actor }) => {
      this.#awayUntilMs.set(actor, Number.POSITIVE_INFINITY);
      // In its next life it does not lead, unless it is elected again.
      if (actor === this.#leader) this.#leader = null;
    });
    cluster.on("actorUp", ({ actor }) => this.#awayUntilMs.delete(actor));
  }

  async start(): Promise<void> {
    const { leader, actors } = await this.#cluster.status();
    this.#leader ??= leader;
    const onThread = (thread: string) =>
      actors.filter(actor => actor.thread === thread).map(({ name }) => name);
    this.#mates = new Map(actors.map(({ name, thread }) => [name, onThread(thread)] as const));
  }

  /** Resolves when all actors are back. @throws Error when they do not come back */
  async healed(): Promise<void> {
    const { proposers, acceptors, learners } = this.#actors;
    const all = [...proposers, ...acceptors, ...learners];
    const away = () => all.filter(name => !this.#isUp(name));
    await this.#until(
      () => `${away().join(", ")} to come back`,
      () => (away().length === 0 ? true : undefined),
    );
  }

  /** Resolves when the fault has struck. Waits first, when it needs somebody who is away. */
  async strike(fault: Fault): Promise<Struck> {
    const strikes = await Promise.all(fault.parts.map(part => this.#strikePart(part, fault)));
    return {
      kind: fault.kind,
      what: strikes.map(({ what }) => what).join(" and "),
      calledAtMs: Math.min(...strikes.map(({ calledAtMs }) => calledAtMs)),
      struckAtMs: Math.max(...strikes.map(({ struckAtMs }) => struckAtMs)),
      clients: strikes.at(-1)?.clients ?? [],
    };
  }

  async #strikePart(part: Part, { choice, durationMs, factor }: Fault): Promise<Omit<Struck, "kind">> {
    switch (part) {
      case "kill-leader":
        return this.#kill(part, [await this.#upLeader()]);
      case "kill-proposer":
        return this.#kill(part, [await this.#upProposer(choice)]);
      case "kill-acceptor":
        return this.#kill(part, [await this.#upAcceptor(choice)]);
      case "kill-learner":
        return this.#kill(part, [await this.#up(this.#actors.learners, choice)]);
      case "kill-all-acceptors":
        return this.#kill(part, this.#actors.acceptors);
      case "kill-all-learners":
        return this.#kill(part, this.#actors.learners);
      case "pause-leader":
        return this.#pause(part, await this.#upLeader(), durationMs);
      case "pause-acceptor":
        return this.#pause(part, await this.#upAcceptor(choice), durationMs);
      case "pause-learner":
        return this.#pause(part, await this.#up(this.#actors.learners, choice), durationMs);
      case "transfer":
        return this.#transfer(await this.#upProposer(choice));
      case "kill-client":
        return this.#killClient(choice);
      case "burst":
        return this.#burst(factor, durationMs);
      case "block-main":
        return this.#blockMain(durationMs);
    }
  }

  async #kill(part: Part, names: readonly string[]): Promise<Omit<Struck, "kind">> {
    const calledAtMs = monotonicMs();
    for (const name of names.flatMap(one => this.#matesOf(one))) {
      this.#awayUntilMs.set(name, Number.POSITIVE_INFINITY);
    }
    await Promise.all(names.map(name => this.#cluster.faults.kill(name)));
    return this.#struck(names.length === 1 ? `${part} ${names[0]}` : part, calledAtMs);
  }

  async #pause(part: Part, name: string, durationMs: number): Promise<Omit<Struck, "kind">> {
    const calledAtMs = monotonicMs();
    const mates = this.#matesOf(name);
    for (const mate of mates) this.#awayUntilMs.set(mate, calledAtMs + durationMs);
    const what = `${part} ${name} for ${durationMs} ms`;
    try {
      await this.#cluster.faults.pause(name, { ms: durationMs });
    } catch (error) {
      // Of two faults at once the other one may have ended the thread that both were for.
      const isDown = error instanceof SynodError && error.code === "ACTOR_FAILED";
      if (!isDown || mates.length === 1) throw error;
      return this.#struck(`${what}, which was down`, calledAtMs);
    }
    const struck = this.#struck(what, calledAtMs);
    for (const mate of mates) {
      // A kill may have come between.
      if (this.#awayUntilMs.get(mate) === Number.POSITIVE_INFINITY) continue;
      this.#awayUntilMs.set(mate, struck.struckAtMs + durationMs);
    }
    return struck;
  }

  async #transfer(to: string): Promise<Omit<Struck, "kind">> {
    const calledAtMs = monotonicMs();
    try {
      await this.#cluster.transferLeadership(to);
    } catch (error) {
      if (!(error instanceof SynodError) || !transferFailures.includes(error.code)) throw error;
      return this.#struck(`transfer to ${to}, which failed with ${error.code}`, calledAtMs);
    }
    return this.#struck(`transfer to ${to}`, calledAtMs);
  }

  async #killClient(choice: number): Promise<Omit<Struck, "kind">> {
    const calledAtMs = monotonicMs();
    const { killed, replacement } = await this.#clients.kill(choice);
    return {
      ...this.#struck(`kill-client ${killed}, replaced by ${replacement}`, calledAtMs),
      struckAtMs: calledAtMs,
    };
  }

  #burst(factor: number, durationMs: number): Omit<Struck, "kind"> {
    const calledAtMs = monotonicMs();
    this.#clients.burst(factor, durationMs);
    return this.#struck(`burst, ${factor} times the load for ${durationMs} ms`, calledAtMs);
  }

  #blockMain(durationMs: number): Omit<Struck, "kind"> {
    const calledAtMs = monotonicMs();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
    return { ...this.#struck(`block-main for ${durationMs} ms`, calledAtMs), struckAtMs: calledAtMs };
  }

  #struck(what: string, calledAtMs: number): Omit<Struck, "kind"> {
    return { what, calledAtMs, struckAtMs: monotonicMs(), clients: this.#clients.alive };
  }

  #matesOf(name: string): readonly string[] {
    return this.#mates.get(name) ?? [name];
  }

  #isUp(name: string): boolean {
    return (this.#awayUntilMs.get(name) ?? 0) <= monotonicMs();
  }

  #upLeader(): Promise<string> {
    return this.#until(
      () => "a leader",
      () => (this.#leader !== null && this.#isUp(this.#leader) ? this.#leader : undefined),
    );
  }

  #upProposer(choice: number): Promise<string> {
    return this.#up(
      this.#actors.proposers.filter(name => name !== this.#leader),
      choice,
    );
  }

  /** Only as long as both quorums are left without it. */
  #upAcceptor(choice: number): Promise<string> {
    const { acceptors, sparedAcceptors } = this.#actors;
    const look = () => {
      const up = acceptors.filter(name => this.#isUp(name));
      if (acceptors.length - up.length >= sparedAcceptors) return undefined;
      return up[Math.floor(choice * up.length)];
    };
    return this.#until(() => "acceptors to come back", look);
  }

  #up(names: readonly string[], choice: number): Promise<string> {
    const look = () => {
      const up = names.filter(name => this.#isUp(name));
      return up[Math.floor(choice * up.length)];
    };
    return this.#until(() => `one of ${names.join(", ")}`, look);
  }

  async #until<T>(what: () => string, look: () => T | undefined): Promise<T> {
    const giveUpAt = monotonicMs() + healWithinMs;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (monotonicMs() > giveUpAt) throw new Error(`waited ${healWithinMs} ms for ${what()}`);
      await new Promise(resolve => setTimeout(resolve, healPollMs));
    }
  }
}
