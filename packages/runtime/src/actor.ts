import type { MessagePort } from "node:worker_threads";
import type { Address } from "@synod/core";
import * as Comlink from "comlink";
import { ActorClients } from "./announcements.js";
import { monotonicMs } from "./clock.js";
import { comlinkEndpoint } from "./comlink-port.js";
import { SynodError, type SynodErrorCode } from "./errors.js";
import { decodeFrame } from "./frame-codec.js";
import {
  type Doorbell,
  type Inbox,
  type MailboxKind,
  openInbox,
  openOutbox,
  type ReceivingEnd,
  ringDoorbell,
  type SendingEnd,
} from "./mailbox/index.js";
import { runtimeLimits } from "./options.js";
import { Post } from "./post.js";
import {
  openRole,
  ProposerHost,
  type RoleHost,
  type RoleInspection,
  type RoleNotice,
  type RoleSpec,
  type RoleStatus,
} from "./role-host.js";
import type { SentFrame } from "./trace.js";
import { DepthTracker, type Traffic } from "./traffic.js";

/** The ends of the connections between an actor and one other actor or client. */
export interface ConnectionEnds {
  readonly peer: Address;
  readonly receiving?: ReceivingEnd;
  readonly sending?: SendingEnd;
}

/** All that a worker thread is given to become an actor. */
export interface ActorSpec extends RoleSpec {
  readonly name: Address;
  readonly mailbox: MailboxKind;
  readonly doorbell: Doorbell;
  /** Where clients and replicas announce themselves, when they talk over rings. */
  readonly channel?: string;
  readonly control: MessagePort;
}

/** What an actor says by itself over the control plane's port, in one message `{ notice }`. */
export type ActorNotice = RoleNotice | { readonly type: "stalls" };

export interface MailboxStatus {
  /** Bytes that wait to be received. */
  readonly depthBytes: number;
  readonly frames: number;
  readonly bytes: number;
  readonly wakeUps: number;
  readonly lostWakeUps: number;
  readonly droppedFrames: number;
  /** How many clients have lanes here; only with rings, and not for acceptors. */
  readonly clients?: number;
  /** How many replicas in users' threads have lanes here; only with rings. */
  readonly replicas?: number;
}

/** What an actor or client has done so far. */
export interface Inspection extends RoleInspection {
  readonly name: Address;
  readonly role: RoleSpec["role"] | "client";
  readonly sent: Traffic;
  readonly wakeUps: number;
  readonly lostWakeUps: number;
  readonly droppedFrames: number;
  /** The latest frames that it sent, in the order of sending; only with the option `trace`. */
  readonly trace?: readonly SentFrame[];
}

/** Why an actor did not start: its task's result, since errors that cross threads lose their fields. */
export interface StartFailure {
  readonly code: SynodErrorCode;
  readonly message: string;
}

/** The control plane's view of an actor. */
export interface ActorControl {
  /** False when it failed: then the task ends with the reason. */
  start(connections: readonly ConnectionEnds[]): Promise<boolean>;
  /** False when the actor does not lead. */
  transferLeadership(to: number): boolean;
  attach(ends: ConnectionEnds): void;
  detach(peer: Address): void;
  status(): RoleStatus & { readonly mailbox: MailboxStatus };
  inspect(stateDigest: boolean): Inspection;
  /** Blocks the thread, after a notice that it does. */
  stall(ms: number): void;
  stop(): void;
}

/** An actor: one role, its mailbox, and the loop that connects them. It lives as long as its Piscina task. */
export class Actor implements ActorControl {
  readonly #spec: ActorSpec;
  readonly #inbox: Inbox;
  readonly #post: Post;
  readonly #depths: DepthTracker | undefined;
  readonly #clients: ActorClients | undefined;
  #host: RoleHost | undefined;
  #failure: StartFailure | undefined;
  #stopped = false;
  #started!: () => void;
  readonly #starting = new Promise<void>(resolve => {
    this.#started = resolve;
  });

  constructor(spec: ActorSpec) {
    this.#spec = spec;
    this.#depths = spec.options.trace ? new DepthTracker() : undefined;
    this.#inbox = openInbox({ kind: spec.mailbox, doorbell: spec.doorbell, waiting: "thread" });
    // A client announces itself before it sends: whoever is to answer it has been told, and only has to listen.
    this.#post = new Post(this.#depths, undefined, () => this.#clients?.drain());
    const { channel, name } = spec;
    this.#clients =
      channel === undefined ? undefined : new ActorClients(channel, name, this.attach.bind(this));
  }

  async start(connections: readonly ConnectionEnds[]): Promise<boolean> {
    try {
      for (const ends of connections) this.attach(ends);
      this.#host = await openRole(this.#spec, this.#depths, notice => this.#notify(notice));
    } catch (error) {
      const { name } = this.#spec;
      this.#failure =
        error instanceof SynodError
          ? { code: error.code, message: error.message }
          : { code: "ACTOR_FAILED", message: `${name} did not start: ${String(error)}` };
    } finally {
      this.#started();
    }
    return this.#host !== undefined;
  }

  transferLeadership(to: number): boolean {
    return this.#host instanceof ProposerHost && this.#host.transferLeadership(to, monotonicMs());
  }

  attach({ peer, receiving, sending }: ConnectionEnds): void {
    if (sending !== undefined) this.#post.add(peer, openOutbox(sending, peer));
    if (receiving !== undefined) this.#inbox.attach(peer, receiving);
  }

  detach(peer: Address): void {
    this.#post.remove(peer);
    this.#inbox.detach(peer);
  }

  status(): RoleStatus & { readonly mailbox: MailboxStatus } {
    const host = this.#openHost();
    const { frames, bytes, wakeUps, lostWakeUps } = this.#inbox.counters;
    const depthBytes = this.#inbox.depthBytes();
    const droppedFrames = this.#post.traffic.dropped;
    const known = this.#clients;
    const clients = known === undefined || this.#spec.role === "acceptor" ? {} : { clients: known.count };
    const replicas = known === undefined ? {} : { replicas: known.replicas };
    return {
      ...host.status(),
      mailbox: { depthBytes, frames, bytes, wakeUps, lostWakeUps, droppedFrames, ...clients, ...replicas },
    };
  }

  inspect(stateDigest: boolean): Inspection {
    const { wakeUps, lostWakeUps } = this.#inbox.counters;
    return {
      name: this.#spec.name,
      role: this.#spec.role,
      sent: this.#post.traffic.read(),
      wakeUps,
      lostWakeUps,
      droppedFrames: this.#post.traffic.dropped,
      ...this.#post.inspectTrace(),
      ...this.#openHost().inspect(stateDigest),
    };
  }

  stall(ms: number): void {
    this.#notify({ type: "stalls" });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }

  stop(): void {
    this.#stopped = true;
    this.#started();
  }

  /**
   * Takes frames, lets the role act on them, sends what came of it, and parks when there is nothing to do, until it
   * is stopped. @returns why it could not start, if so
   */
  async run(): Promise<StartFailure | undefined> {
    await this.#starting;
    if (this.#host === undefined) return this.#failure;
    const host = this.#host;
    const onFrame = (from: Address, frame: Uint8Array) => {
      const { message, depth } = decodeFrame(frame);
      if (depth !== undefined) this.#depths?.received(message, depth);
      host.receive(from, message, monotonicMs());
    };
    // A ring's park is bounded by itself; a port's waits for events, so a timer brings the role's deadlines.
    const ticker =
      this.#spec.mailbox === "port"
        ? setInterval(() => ringDoorbell(this.#spec.doorbell), runtimeLimits.portTickMs)
        : undefined;
    let lastTurn = monotonicMs();
    let idle = false;
    while (!this.#stopped) {
      const frames = this.#inbox.receive(onFrame, runtimeLimits.framesPerTurn);
      let now = monotonicMs();
      // Timers only after the mailbox is empty: a thread that wakes up late must not act on stale knowledge.
      const isEmpty = frames < runtimeLimits.framesPerTurn;
      if (isEmpty && now >= host.deadline) host.tick(now);
      if (isEmpty) for (const client of this.#clients?.takeDeparted() ?? []) this.detach(client);
      this.#post.send(host.flush(now));
      const fed = this.#post.flush();
      if (frames > 0 || host.isBusy) idle = false;
      else if (!idle) {
        idle = true;
        now = monotonicMs();
        const timeoutMs = fed ? Math.min(host.deadline - now, runtimeLimits.parkMsMax) : 1;
        if (timeoutMs > 0) await this.#inbox.park(timeoutMs);
        continue;
      }
      // Rung without a frame, timed out, or busy for a while: the control plane and the profiler get their turn.
      if (frames === 0 || now - lastTurn >= runtimeLimits.eventLoopTurnMs) {
        await eventLoopTurn();
        lastTurn = monotonicMs();
        idle = false;
      }
    }
    clearInterval(ticker);
    this.#clients?.close();
    this.#inbox.close();
    this.#post.close();
    return undefined;
  }

  #notify(notice: ActorNotice): void {
    this.#spec.control.postMessage({ notice });
  }

  #openHost(): RoleHost {
    if (this.#host === undefined) throw new Error(`${this.#spec.name} has not started`);
    return this.#host;
  }
}

/** One whole turn: an immediate that is queued in the check phase runs only after the next poll. */
function eventLoopTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(() => setImmediate(resolve)));
}

/** Piscina's task: makes an actor and runs it until it is stopped. */
export default async function runActor(spec: ActorSpec): Promise<StartFailure | undefined> {
  const actor = new Actor(spec);
  Comlink.expose(actor, comlinkEndpoint(spec.control));
  try {
    return await actor.run();
  } finally {
    // The answer to stop() leaves first.
    setImmediate(() => spec.control.close());
  }
}
