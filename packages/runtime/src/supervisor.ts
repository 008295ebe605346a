import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Address, Topology } from "@synod/core";
import * as Comlink from "comlink";
import { Piscina } from "piscina";
import type { ActorControl, ActorSpec, ConnectionEnds, Inspection, MailboxStatus } from "./actor.js";
import { ClientRegistry } from "./announcements.js";
import { comlinkEndpoint } from "./comlink-port.js";
import type { StateMachineSpec } from "./engine.js";
import { SynodError } from "./errors.js";
import { type ClusterHandle, ClusterWords, createHandle } from "./handle.js";
import { ringDoorbell } from "./mailbox/index.js";
import { type ResolvedOptions, runtimeLimits } from "./options.js";
import type { RoleStatus } from "./role-host.js";
import { portsOf, type WiredActor, wireActors } from "./wiring.js";

/** Incarnations of proposers, over all clusters of the process: a ballot is never used twice. */
let incarnations = 0;

/** What an actor is doing. `failed` means that its thread has ended; `error` says why. */
export interface ActorStatus extends Partial<RoleStatus> {
  readonly name: Address;
  readonly role: ActorSpec["role"];
  readonly state: string;
  readonly error?: string;
  readonly mailbox?: MailboxStatus;
}

/** An actor's thread as the supervisor sees it. */
interface RunningActor {
  readonly wired: WiredActor;
  readonly control: Comlink.Remote<ActorControl>;
  readonly port: MessagePort;
  /** Settles when the actor's task has ended, with the error that ended it. */
  readonly ended: Promise<Error | undefined>;
  failure: Error | undefined;
}

/** Starts every actor in a worker thread of its own, talks to them over the control plane, and stops them. */
export class Supervisor {
  readonly #pool: Piscina;
  readonly #actors: RunningActor[];
  readonly handle: ClusterHandle;
  /** Clients whose lanes are rings. */
  readonly #clients: ClientRegistry | undefined;
  #closing = false;

  constructor(topology: Topology, options: ResolvedOptions, stateMachine: StateMachineSpec) {
    const wired = wireActors(topology, options.mailbox);
    const entrances = wired
      .filter(({ role }) => role !== "acceptor")
      .map(({ name, doorbell }) => ({ name, doorbell }));
    this.handle = createHandle(topology, options, entrances);
    if (options.mailbox === "ring") this.#clients = new ClientRegistry(this.handle);
    this.#pool = new Piscina({
      filename: new URL("./actor.js", import.meta.url).href,
      minThreads: wired.length,
      maxThreads: wired.length,
      concurrentTasksPerWorker: 1,
      atomics: "disabled",
    });
    this.#pool.on("error", () => {
      // Each task reports its own failure; this event says the same once more, for threads that no task runs on.
    });
    this.#actors = wired.map(actor => this.#run(actor, topology, options, stateMachine));
  }

  /** @throws SynodError of the first actor that does not start */
  async start(): Promise<void> {
    const failures = await Promise.all(
      this.#actors.map(async actor => {
        const answer = actor.control.start();
        // A task that ends without an error has answered: it only may be heard of before its answer.
        const ended = actor.ended.then(error => {
          if (error === undefined) return answer;
          const message = `${actor.wired.name} ended while it started: ${error.message}`;
          return { code: "ACTOR_FAILED" as const, message };
        });
        return Promise.race([answer, ended]);
      }),
    );
    const failure = failures.find(found => found !== undefined);
    if (failure !== undefined) throw new SynodError(failure.code, failure.message);
  }

  /** False when `from` does not lead. */
  transferLeadership(from: Address, to: number): Promise<boolean> {
    return this.#call(from, control => control.transferLeadership(to));
  }

  attach(name: Address, ends: ConnectionEnds): Promise<void> {
    return this.#call(name, control => control.attach(Comlink.transfer(ends, portsOf([ends]))));
  }

  detach(name: Address, peer: Address): Promise<void> {
    return this.#call(name, control => control.detach(peer));
  }

  status(): Promise<ActorStatus[]> {
    return Promise.all(
      this.#actors.map(async ({ wired: { name, role }, failure }) => {
        if (failure !== undefined) return { name, role, state: "failed", error: failure.message };
        return { name, role, ...(await this.#call(name, control => control.status())) };
      }),
    );
  }

  inspect(stateDigest: boolean): Promise<Inspection[]> {
    return Promise.all(
      this.#actors.map(({ wired }) => this.#call(wired.name, control => control.inspect(stateDigest))),
    );
  }

  /** The names of all clients, on whichever threads. */
  clients(): Address[] {
    return this.#clients?.names() ?? [];
  }

  /** Tells clients on all threads that the cluster is closed. */
  closeClients(): void {
    // In this order: a client that is not on the list yet looks at the word after it has announced itself.
    new ClusterWords(this.handle.memory).close();
    this.#clients?.close();
  }

  /** Stops every actor, waits for its end, then for the threads'. */
  async close(): Promise<void> {
    this.#closing = true;
    this.closeClients();
    for (const actor of this.#actors) {
      if (actor.failure === undefined) void actor.control.stop();
      ringDoorbell(actor.wired.doorbell);
    }
    const deadline = new AbortController();
    const late = new Promise<void>(resolve => {
      const timer = setTimeout(resolve, runtimeLimits.stopWithinMs);
      deadline.signal.addEventListener("abort", () => clearTimeout(timer));
    });
    await Promise.race([Promise.all(this.#actors.map(({ ended }) => ended)), late]);
    deadline.abort();
    for (const { port } of this.#actors) port.close();
    await this.#pool.destroy();
  }

  #run(
    wired: WiredActor,
    topology: Topology,
    options: ResolvedOptions,
    stateMachine: StateMachineSpec,
  ): RunningActor {
    const { port1, port2 } = new MessageChannel();
    const { name, role, index, doorbell, connections } = wired;
    const spec: ActorSpec = {
      name,
      role,
      index,
      incarnation: ++incarnations,
      topology,
      options,
      stateMachine,
      mailbox: options.mailbox,
      doorbell,
      connections,
      control: port2,
      ...(options.mailbox === "ring" && role !== "acceptor" ? { channel: this.handle.channel } : {}),
    };
    const transferList = [port2, ...portsOf(connections)];
    const ended = this.#pool.run(spec, { transferList }).then(
      () => undefined,
      (error: Error) => {
        actor.failure = error;
        return error;
      },
    );
    const control = Comlink.wrap<ActorControl>(comlinkEndpoint(port1));
    // An idle cluster must not keep its process alive by the control plane alone; open calls are awaited anyway.
    const actor: RunningActor = { wired, control, port: port1, ended, failure: undefined };
    return actor;
  }

  /** One control-plane call: the ring makes a parked actor give its event loop a turn. */
  async #call<T>(name: Address, call: (control: Comlink.Remote<ActorControl>) => Promise<T>): Promise<T> {
    const actor = this.#actors.find(({ wired }) => wired.name === name);
    if (actor === undefined) throw new SynodError("INVALID_OPTIONS", `there is no actor ${name}`);
    const answer = call(actor.control);
    ringDoorbell(actor.wired.doorbell);
    const ended = actor.ended.then(error => {
      const why = this.#closing
        ? "the cluster was closed"
        : `its thread ended: ${error?.message ?? "no reason"}`;
      throw new SynodError(
        this.#closing ? "CLUSTER_CLOSED" : "ACTOR_FAILED",
        `${name} did not answer: ${why}`,
      );
    });
    return Promise.race([answer, ended]);
  }
}
