import { type Address, assertNever, type Ballot, compareBallots, noBallot, type Topology } from "@synod/core";
import type * as Comlink from "comlink";
import type { ActorControl, ConnectionEnds, Inspection, StartFailure } from "./actor.js";
import type { ActorStatus } from "./actor-status.js";
import { ClientRegistry } from "./announcements.js";
import type { StateMachineSpec } from "./engine.js";
import { SynodError } from "./errors.js";
import type { Emit } from "./events.js";
import { type ClusterHandle, ClusterWords, createHandle } from "./handle.js";
import { runtimeLimits } from "./limits.js";
import { createMetricsMemory } from "./metrics/actor-metrics.js";
import type { ActorMetricsSnapshot } from "./metrics/snapshot.js";
import { invalid, type ResolvedOptions } from "./options.js";
import type { RoleNotice } from "./role-host.js";
import { createSnapshotRegion, type SnapshotRegion } from "./snapshots/index.js";
import { createStorageRegion } from "./storage/index.js";
import { SupervisedActor } from "./supervised-actor.js";
import { SupervisedThread } from "./supervised-thread.js";
import type { ProfileRequest, ThreadProfile } from "./thread-profiler.js";
import { rewireActor, type WiredActor, wireActors } from "./wiring.js";

/** What was recorded of a thread, and which actors it hosts. */
export interface ProfiledThread {
  readonly thread: Address;
  readonly actors: readonly Address[];
  readonly profile: ThreadProfile;
}

/**
 * Runs the actors in worker threads, restarts those that end, and talks to the actors over the control plane. Nothing
 * that the protocol does waits for it.
 */
export class Supervisor {
  readonly #options: ResolvedOptions;
  readonly #actors: ReadonlyMap<Address, SupervisedActor>;
  /** By the name of each actor that they host; in the order of the actors. */
  readonly #threads: ReadonlyMap<Address, SupervisedThread>;
  readonly #emit: Emit;
  /** By learner: its snapshots, which outlive its threads. */
  readonly #snapshotRegions: readonly SnapshotRegion[];
  /** The way in for clients. */
  readonly handle: ClusterHandle;
  /** Clients whose lanes are rings. */
  readonly #clients: ClientRegistry | undefined;
  /** Of the latest leader that was heard of: notices of several proposers may overtake each other. */
  #ballot: Ballot = noBallot;
  #leaderChanges = 0;
  #divergences = 0;

  constructor(topology: Topology, options: ResolvedOptions, stateMachine: StateMachineSpec, emit: Emit) {
    this.#options = options;
    this.#emit = emit;
    const wired = wireActors(topology, options.mailbox, options.threads);
    this.#snapshotRegions = Array.from({ length: topology.learners }, () =>
      createSnapshotRegion(runtimeLimits.snapshotBytesMax),
    );
    const entrance = ({ name, doorbell }: WiredActor) => ({ name, doorbell });
    const entrances = wired.filter(({ role }) => role !== "acceptor").map(entrance);
    const acceptors = wired.filter(({ role }) => role === "acceptor").map(entrance);
    const snapshotRegions = this.#snapshotRegions;
    this.handle = createHandle(topology, options, entrances, { acceptors, snapshotRegions });
    if (options.mailbox === "ring") this.#clients = new ClientRegistry(this.handle);
    this.#actors = new Map(
      wired.map(actor => [actor.name, this.#supervise(actor, topology, stateMachine)] as const),
    );
    this.#threads = this.#host([...this.#actors.values()]);
  }

  /** @throws SynodError of the first actor that does not start */
  async start(): Promise<void> {
    const starting = [...new Set(this.#threads.values())].map(thread => thread.start());
    const failures: (StartFailure | undefined)[] = await Promise.all(starting);
    const failure = failures.find(found => found !== undefined);
    if (failure !== undefined) throw new SynodError(failure.code, failure.message);
  }

  /** False when `from` does not lead, or is down or does not answer. */
  async transferLeadership(from: Address, to: number): Promise<boolean> {
    return (await this.#actor(from).ask(control => control.transferLeadership(to))) ?? false;
  }

  /**
   * Gives an actor its ends of the connections to a client. While it is down, its next life opens them. With ports,
   * whose ends die with a thread, `renew` replaces the client's and returns the actor's for each later life. It does
   * not fail because of the actor, and waits for it a second at most.
   */
  attach(name: Address, ends: ConnectionEnds, renew?: () => ConnectionEnds): Promise<void> {
    return this.#actor(name).attach(ends, renew);
  }

  /** Takes the ends away again, from later lives as well. */
  detach(name: Address, peer: Address): Promise<void> {
    return this.#actor(name).detach(peer);
  }

  /** Each within a second, whatever its thread does. */
  status(...names: Address[]): Promise<ActorStatus[]> {
    const asked = names.length === 0 ? [...this.#actors.keys()] : names;
    return Promise.all(asked.map(name => this.#actor(name).status()));
  }

  /** What has happened to the cluster as a whole. */
  get counts(): { readonly leaderChanges: number; readonly divergences: number } {
    return { leaderChanges: this.#leaderChanges, divergences: this.#divergences };
  }

  /** Of all actors, each within a second. */
  metrics(): Promise<ActorMetricsSnapshot[]> {
    return Promise.all([...this.#actors.values()].map(actor => actor.metrics()));
  }

  /** Of those that are up and answer. */
  async inspect(stateDigest: boolean): Promise<Inspection[]> {
    const withinMs = stateDigest ? runtimeLimits.slowAnswerWithinMs : runtimeLimits.answerWithinMs;
    const running = [...this.#actors.values()].filter(actor => actor.isRunning);
    const inspections = await Promise.all(
      running.map(actor => actor.ask(control => control.inspect(stateDigest), withinMs)),
    );
    return inspections.filter(inspection => inspection !== undefined);
  }

  /** Begins to record all threads. */
  async startProfiles(request: ProfileRequest): Promise<void> {
    await this.#askThreads(control => control.startProfile(request));
  }

  /** What is recorded from now on counts, and nothing before. */
  async markProfiles(): Promise<void> {
    await this.#askThreads(control => control.markProfile());
  }

  /** What was recorded of the threads that are up and were asked to, by the thread's name. */
  async stopProfiles(): Promise<ProfiledThread[]> {
    const answers = await this.#askThreads(control => control.stopProfile());
    return answers.flatMap(([thread, actors, profile]) =>
      profile === undefined ? [] : [{ thread, actors, profile }],
    );
  }

  /** One actor of each thread, for all of them. */
  #askThreads<T>(
    question: (control: Comlink.Remote<ActorControl>) => Promise<T>,
  ): Promise<(readonly [thread: Address, actors: Address[], answer: T | undefined])[]> {
    const threads = [...new Set(this.#threads.values())];
    return Promise.all(
      threads.map(async thread => {
        const hosted = [...this.#actors.values()].filter(
          ({ wired }) => this.#threads.get(wired.name) === thread,
        );
        const running = hosted.find(actor => actor.isRunning);
        const answer = await running?.ask(question, runtimeLimits.slowAnswerWithinMs);
        const actors = hosted.map(({ wired }) => wired.name);
        return [hosted[0]?.wired.thread ?? "", actors, answer] as const;
      }),
    );
  }

  /** @throws SynodError `INVALID_OPTIONS` for a name that no actor has */
  kill(name: Address): Promise<void> {
    return this.#thread(name).kill("killed by faults.kill()");
  }

  /** @throws SynodError `INVALID_OPTIONS`, `ACTOR_FAILED`, `TIMEOUT` */
  stall(name: Address, ms: number): Promise<void> {
    return this.#thread(name).stall(name, ms);
  }

  /** The names of all clients and replicas, on whichever threads. */
  clients(): Address[] {
    return this.#clients?.names() ?? [];
  }

  /** Tells clients on all threads that the cluster is closed. */
  closeClients(): void {
    // In this order: a client that is not on the list yet looks at the word after it has announced itself.
    new ClusterWords(this.handle.memory).close();
    this.#clients?.close();
  }

  /** Stops every actor, and resolves when no thread is left. */
  async close(): Promise<void> {
    this.closeClients();
    await Promise.all([...new Set(this.#threads.values())].map(thread => thread.close()));
  }

  #supervise(wired: WiredActor, topology: Topology, stateMachine: StateMachineSpec): SupervisedActor {
    const { name, role, index } = wired;
    const options = this.#options;
    const isShared = role === "acceptor" && options.storage === "shared";
    const storageRegion = isShared ? createStorageRegion(options.storageBytesMax) : undefined;
    const { mailbox } = options;
    return new SupervisedActor({
      wired,
      spec: {
        name,
        role,
        index,
        topology,
        options,
        stateMachine,
        snapshotRegions: role === "learner" ? this.#snapshotRegions : [],
        metrics: createMetricsMemory(),
        ...(mailbox === "ring" ? { channel: this.handle.channel } : {}),
        ...(storageRegion === undefined ? {} : { storageRegion }),
      },
      survives: role !== "acceptor" || isShared,
      connections: isFirst => this.#connectionsOf(wired, isFirst),
    });
  }

  #host(actors: readonly SupervisedActor[]): Map<Address, SupervisedThread> {
    const { mailbox, restarts } = this.#options;
    const threads = new Map<Address, SupervisedThread>();
    for (const { wired } of actors) {
      if (threads.has(wired.name)) continue;
      const hosted = actors.filter(actor => actor.wired.thread === wired.thread);
      const thread = new SupervisedThread({
        name: wired.thread,
        doorbell: wired.doorbell,
        mailbox,
        restarts,
        actors: hosted,
        emit: this.#emit,
        onNotice: (actor, notice) => this.#onNotice(actor, notice),
      });
      for (const actor of hosted) threads.set(actor.wired.name, thread);
    }
    return threads;
  }

  /** Lanes are opened again by each life. Ports die with a thread, and are replaced on both sides. */
  #connectionsOf(wired: WiredActor, isFirst: boolean): ConnectionEnds[] {
    if (isFirst || this.#options.mailbox === "ring") return [...wired.connections];
    const all = [...this.#actors.values()].map(actor => actor.wired);
    // Those before it on its own thread have begun again as well, and with it.
    const at = all.indexOf(wired);
    const others = all.filter(({ thread }, index) => thread !== wired.thread || index >= at);
    const { atActor, atOthers } = rewireActor(wired, others, this.#options.mailbox);
    for (const [other, ends] of atOthers) void this.#actor(other).replaceEnds(ends);
    return atActor;
  }

  #onNotice(actor: Address, notice: RoleNotice): void {
    switch (notice.type) {
      case "leads":
        this.#onLeader(actor, notice.ballot);
        return;
      case "divergence":
        this.#divergences += 1;
        this.#emit("divergence", { instance: notice.instance, learners: notice.learners });
        return;
      case "snapshotFailed":
        this.#emit("snapshotFailed", { actor, phase: notice.phase, reason: notice.reason });
        return;
      default:
        assertNever(notice);
    }
  }

  /** A leader that goes on in a higher ballot is the same one; its next life is not. */
  #onLeader(leader: Address, ballot: Ballot): void {
    const before = this.#ballot;
    if (compareBallots(ballot, before) <= 0) return;
    this.#ballot = ballot;
    if (ballot.proposer === before.proposer && ballot.incarnation === before.incarnation) return;
    this.#leaderChanges += 1;
    this.#emit("leaderChanged", { leader, ballot });
  }

  #thread(name: Address): SupervisedThread {
    return this.#threads.get(this.#actor(name).wired.name) as SupervisedThread;
  }

  #actor(name: Address): SupervisedActor {
    const actor = this.#actors.get(name);
    if (actor === undefined) throw invalid("name", name, [...this.#actors.keys()].join(", "));
    return actor;
  }
}
