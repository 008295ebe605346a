import { type Address, addressesOf, compareBallots, noBallot, type Topology } from "@synod/core";
import type { ConnectionEnds, Inspection } from "./actor.js";
import type { ActorStatus } from "./actor-status.js";
import { isReplica } from "./announcements.js";
import type { Client } from "./client.js";
import { assembleClient, createClient, openClient } from "./connect.js";
import type { StateMachineSpec } from "./engine.js";
import { actorThreads, checkEnvironment, checkIsNoActorThread, warnOfFewCores } from "./environment.js";
import { SynodError } from "./errors.js";
import { ClusterEmitter, emitOn } from "./events.js";
import { Faults } from "./faults.js";
import type { ClusterHandle } from "./handle.js";
import { EventLoopWatch } from "./metrics/event-loop-delay.js";
import type { ClusterMetrics } from "./metrics/snapshot.js";
import { type ClusterOptions, invalid, type ResolvedOptions, resolveOptions } from "./options.js";
import { PortAttachment } from "./port-attachment.js";
import type { ReplicaStatus } from "./role-host.js";
import type { AnyStateMachine, StateMachineSource } from "./state-machine.js";
import { Supervisor } from "./supervisor.js";
import { checkWorkersAreFound } from "./worker-pool.js";

/** For the benchmark, which records the cluster's threads: nobody else gets at them. */
export let supervisorOf: (cluster: Pick<Cluster, "close">) => Supervisor;

/** A transfer that is not done after so many leases has failed: an election takes about two. */
const leasesPerTransfer = 4;
/** How often a transfer looks who leads, in milliseconds. */
const transferPollMs = 5;

/** The state of a cluster: see {@link Cluster.status}. */
export interface ClusterStatus {
  readonly actors: readonly ActorStatus[];
  /** The proposer that leads, as far as it knows itself. */
  readonly leader: string | null;
  /** Those that are connected, on all threads. */
  readonly clients: readonly string[];
  /** Replicas on all threads, and how much of the log they have applied, as far as learners have heard. */
  readonly replicas: readonly ReplicaStatus[];
}

/**
 * A replicated log with its state machines: proposers, acceptors and learners, each in a worker thread. It emits
 * {@link ClusterEvents}, never `error`.
 */
export class Cluster<M extends AnyStateMachine = AnyStateMachine>
  extends ClusterEmitter
  implements AsyncDisposable
{
  /** Kills and pauses actors: for tests. */
  readonly faults: Faults;
  readonly #supervisor: Supervisor;
  readonly #options: ResolvedOptions;
  readonly #topology: Topology;
  readonly #clients = new Map<string, Client<M>>();
  readonly #eventLoop = new EventLoopWatch();
  /** Commands that took effect, as far as was ever seen. */
  #commits = 0;
  #closing: Promise<void> | undefined;

  static {
    supervisorOf = cluster => (cluster as Cluster).#supervisor;
  }

  private constructor(topology: Topology, options: ResolvedOptions, stateMachine: StateMachineSpec) {
    super();
    this.#topology = topology;
    this.#options = options;
    this.#supervisor = new Supervisor(topology, options, stateMachine, emitOn(this));
    this.faults = new Faults(this.#supervisor, () => this.#checkOpen());
  }

  /**
   * Starts all actors. Proposers elect a leader among themselves.
   *
   * @throws SynodError `INVALID_OPTIONS`, `UNSUPPORTED_ENVIRONMENT`, `STATE_MACHINE_NOT_LOADED`, `ACTOR_FAILED`;
   *   nothing is left running then
   */
  // biome-ignore lint/suspicious/noExplicitAny: a URL says nothing about its machine's options
  static async start<M extends AnyStateMachine, Options = any>(
    options: ClusterOptions<M, Options>,
  ): Promise<Cluster<M>> {
    checkEnvironment();
    checkIsNoActorThread();
    const resolved = resolveOptions(options);
    checkWorkersAreFound(resolved.workerUrl);
    const stateMachine = specOf(options.stateMachine, options.stateMachineOptions);
    const { proposers, acceptors, learners } = resolved;
    warnOfFewCores(actorThreads(resolved));
    const cluster = new Cluster<M>({ proposers, acceptors, learners }, resolved, stateMachine);
    try {
      await cluster.#supervisor.start();
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  /** A client on this thread, with a session of its own. @throws SynodError `CLUSTER_CLOSED`, `NO_QUORUM`, `TIMEOUT` */
  async connect(): Promise<Client<M>> {
    this.#checkOpen();
    const onLeave = (name: Address) => this.#clients.delete(name);
    const { handle } = this.#supervisor;
    if (this.#options.mailbox === "ring") {
      const client = createClient<M>(handle, onLeave);
      this.#clients.set(client.name, client);
      return openClient(client);
    }
    const client: Client<M> = assembleClient<M>(handle, "port", lanes => {
      const replaceEnds = (ends: Required<ConnectionEnds>) => client.replaceEnds(ends);
      return new PortAttachment(this.#supervisor, { ...lanes, replaceEnds, onLeave });
    });
    this.#clients.set(client.name, client);
    return openClient(client);
  }

  /**
   * The way into this cluster for other threads of the process: post it there, or hand it over as `workerData`, and
   * give it to `connect()`. It does not keep the cluster open. Needs the mailbox `ring`.
   *
   * @throws SynodError `INVALID_OPTIONS`, `CLUSTER_CLOSED`
   */
  handle(): ClusterHandle<M> {
    this.#checkOpen();
    const { mailbox } = this.#options;
    if (mailbox !== "ring") {
      throw invalid("mailbox", mailbox, `"ring" for a cluster with a handle: ports cannot be shared`);
    }
    return this.#supervisor.handle as ClusterHandle<M>;
  }

  /** What every actor does at present, within about a second, whatever they do. @throws SynodError `CLUSTER_CLOSED` */
  async status(): Promise<ClusterStatus> {
    this.#checkOpen();
    const actors = await this.#supervisor.status();
    const names = this.#names();
    const clients = names.filter(name => !isReplica(name));
    const replicas = names.filter(isReplica).map(name => replicaOf(name, actors));
    return { actors, leader: leaderOf(actors), clients, replicas };
  }

  /**
   * What the cluster has counted and measured since it was started, as plain numbers and histograms: see
   * `docs/guide/observability.md` for each of them. Counters never go back, also when threads end. It waits for no
   * actor longer than a second; of one that is down or does not answer, gauges are null.
   *
   * @throws SynodError `CLUSTER_CLOSED`
   */
  async metrics(): Promise<ClusterMetrics> {
    this.#checkOpen();
    const eventLoopDelay = this.#eventLoop.look();
    const actors = await this.#supervisor.metrics();
    const applied = actors.map(actor => (actor.role === "learner" ? actor.appliedCommands : 0));
    this.#commits = Math.max(this.#commits, ...applied);
    const clients = [...this.#clients.values()];
    return {
      commits: this.#commits,
      ...this.#supervisor.counts,
      connectedClients: this.#names().filter(name => !isReplica(name)).length,
      actors,
      clients: clients.map(client => client.metrics()),
      eventLoopDelay,
    };
  }

  /**
   * Hands leadership over to a proposer, by name, without waiting for a lease to run out: the leader lets what is
   * under way be chosen first. Resolves once the other one leads.
   *
   * @throws SynodError `INVALID_OPTIONS`, `NO_LEADER`, `TIMEOUT` when another one was elected, `ACTOR_FAILED` when the
   *   thread of the other one is down or does not answer, `CLUSTER_CLOSED`
   */
  async transferLeadership(to: string): Promise<void> {
    this.#checkOpen();
    const proposers = addressesOf("proposer", this.#topology.proposers);
    const index = proposers.indexOf(to);
    if (index < 0) throw invalid("to", to, proposers.join(", "));
    const actors = await this.#supervisor.status(...proposers);
    const before = leaderOf(actors);
    if (before === to) return;
    const { state, ballot } = actors[index] as ActorStatus;
    if (ballot === undefined) {
      throw new SynodError("ACTOR_FAILED", `${to} cannot lead now: it is ${state}; see status()`);
    }
    if (before === null || !(await this.#supervisor.transferLeadership(before, index))) {
      const message = `nobody leads who could hand over to ${to}: wait for an election, or look at status()`;
      throw new SynodError("NO_LEADER", message);
    }
    const giveUpAt = performance.now() + this.#options.leaseMs * leasesPerTransfer;
    while (leaderOf(await this.#supervisor.status(...proposers)) !== to) {
      this.#checkOpen();
      if (performance.now() > giveUpAt) {
        const message = `${before} has given up its lead, but ${to} was not elected: see status()`;
        throw new SynodError("TIMEOUT", message);
      }
      await new Promise(resolve => setTimeout(resolve, transferPollMs));
    }
  }

  /**
   * What every actor and every client of this thread has sent and applied so far; with `stateDigest`, a hash of
   * each learner's state, which takes a snapshot of it. Actors that are down or do not answer are left out.
   */
  async inspect(options: { readonly stateDigest?: boolean } = {}): Promise<Inspection[]> {
    this.#checkOpen();
    const actors = await this.#supervisor.inspect(options.stateDigest ?? false);
    return [...actors, ...[...this.#clients.values()].map(client => client.inspect())];
  }

  /** Settles every open promise, ends every thread. Calling it again is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.resolve();
    this.#eventLoop.stop();
    this.#supervisor.closeClients();
    await Promise.all([...this.#clients.values()].map(client => client.close()));
    await this.#supervisor.close();
  }

  /** Of all clients and replicas, on all threads. */
  #names(): string[] {
    return [...new Set([...this.#supervisor.clients(), ...this.#clients.keys()])];
  }

  #checkOpen(): void {
    if (this.#closing === undefined) return;
    throw new SynodError("CLUSTER_CLOSED", "the cluster is closed: start a new one", {
      outcome: "not-applied",
    });
  }
}

/** What the learner knows that has heard of it last: it never goes back. */
function replicaOf(name: Address, actors: readonly ActorStatus[]): ReplicaStatus {
  const known = actors.flatMap(({ replicas = [] }) => replicas).filter(replica => replica.name === name);
  return { name, appliedBelow: Math.max(0, ...known.map(({ appliedBelow }) => appliedBelow)) };
}

/** The proposer that leads, as far as it knows itself. */
function leaderOf(actors: readonly ActorStatus[]): string | null {
  const leading = actors.filter(({ state }) => state === "leading");
  // One that has not noticed yet that it was replaced has the lower ballot.
  const ballotOf = ({ ballot }: ActorStatus) => ballot ?? noBallot;
  leading.sort((a, b) => compareBallots(ballotOf(b), ballotOf(a)));
  return leading[0]?.name ?? null;
}

function specOf<M extends AnyStateMachine>(
  source: StateMachineSource<M>,
  options: unknown,
): StateMachineSpec {
  const invalid = (message: string) =>
    new SynodError("INVALID_OPTIONS", `the option stateMachine ${message}`, { path: "stateMachine" });
  const parse = (url: URL | string): string => {
    try {
      return new URL(url).href;
    } catch {
      throw invalid(`has ${JSON.stringify(String(url))} for a URL; use import.meta.resolve() or new URL()`);
    }
  };
  try {
    structuredClone(options);
  } catch (cause) {
    const path = "stateMachineOptions";
    const message = "the option stateMachineOptions cannot be cloned to the learners' threads";
    throw new SynodError("INVALID_OPTIONS", message, { path, cause });
  }
  if (typeof source === "function") {
    if (typeof source.moduleUrl !== "string") {
      throw invalid(`is a class without "static moduleUrl = import.meta.url", so learners cannot load it`);
    }
    return { url: parse(source.moduleUrl), export: "default", options };
  }
  if (typeof source === "string" || source instanceof URL) {
    return { url: parse(source), export: "default", options };
  }
  if (typeof source === "object" && source !== null && "url" in source) {
    const unknown = Object.keys(source).find(key => key !== "url" && key !== "export");
    if (unknown !== undefined) throw invalid(`has no field ${unknown}: give { url, export }`);
    if (typeof source.export !== "string") throw invalid("has no export's name: give { url, export }");
    return { url: parse(source.url), export: source.export, options };
  }
  throw invalid("is missing: give a class with a moduleUrl, a URL, or { url, export }");
}
