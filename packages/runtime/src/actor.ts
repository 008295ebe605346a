import type { MessagePort } from "node:worker_threads";
import type { Address } from "@synod/core";
import { ActorClients } from "./announcements.js";
import { monotonicMs } from "./clock.js";
import { SynodError, type SynodErrorCode } from "./errors.js";
import { decodeFrame } from "./frame-codec.js";
import { runtimeLimits } from "./limits.js";
import { type Inbox, openOutbox, type ReceivingEnd, type SendingEnd } from "./mailbox/index.js";
import { ActorMeter } from "./metrics/actor-meter.js";
import { ActorMetrics } from "./metrics/actor-metrics.js";
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
import { StageTimes } from "./stage-times.js";
import { threadMs } from "./thread-clock.js";
import { type ProfileRequest, type ThreadProfile, ThreadProfiler } from "./thread-profiler.js";
import type { SentFrame } from "./trace.js";
import { DepthTracker, type Traffic } from "./traffic.js";

/** The ends of the connections between an actor and one other actor or client. */
export interface ConnectionEnds {
  readonly peer: Address;
  readonly receiving?: ReceivingEnd;
  readonly sending?: SendingEnd;
}

/** All that a worker thread is given to host an actor. */
export interface ActorSpec extends RoleSpec {
  readonly name: Address;
  /** Where clients and replicas announce themselves, when they talk over rings. */
  readonly channel?: string;
  /** The memory of the actor's metrics: made once, for all its lives. */
  readonly metrics: SharedArrayBuffer;
  readonly control: MessagePort;
}

/** What an actor says by itself over the control plane's port, in one message `{ notice }`. */
export type ActorNotice = RoleNotice | { readonly type: "stalls" };

/** What waits in an actor's mailbox, and what went wrong with it. */
export interface MailboxStatus {
  /** Bytes that wait to be received. */
  readonly depthBytes: number;
  /** The most that was seen to wait, over all lives. */
  readonly depthBytesMax: number;
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
  /**
   * Milliseconds that its thread, which it may share, has been on a core since it began; null where the system does
   * not tell. Not of clients.
   */
  readonly threadMs?: number | null;
  /** The latest frames that it sent, in the order of sending; only with the option `trace`. */
  readonly trace?: readonly SentFrame[];
}

/** Why an actor did not start: its thread's result, since errors that cross threads lose their fields. */
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
  /** Begins to record its thread. */
  startProfile(request: ProfileRequest): void;
  /** What is recorded from now on counts. */
  markProfile(): void;
  /** What was recorded; undefined when this life of the thread was not asked to. */
  stopProfile(): ThreadProfile | undefined;
  /** Blocks the thread, after a notice that it does. */
  stall(ms: number): void;
  stop(): void;
}

/** An actor: one role and its mailbox, a turn at a time. It lives as long as its thread. */
export class Actor implements ActorControl {
  readonly #spec: ActorSpec;
  readonly #inbox: Inbox;
  readonly #post: Post;
  readonly #depths: DepthTracker | undefined;
  readonly #stages: StageTimes | undefined;
  readonly #clients: ActorClients | undefined;
  readonly #metrics: ActorMetrics;
  readonly #meter: ActorMeter;
  #host: RoleHost | undefined;
  #failure: StartFailure | undefined;
  #profiler: ThreadProfiler | undefined;
  #isStopped = false;
  /** False while a frame that is sent in parts is not all in its lane. */
  #isFed = true;
  /** The event loop has had a turn, and whatever came by it may be a reason to send. */
  #isChanged = true;
  #started!: () => void;
  readonly #starting = new Promise<void>(resolve => {
    this.#started = resolve;
  });
  readonly #onFrame = (from: Address, frame: Uint8Array): void => {
    const { message, depth, stamps } = decodeFrame(frame);
    if (depth !== undefined) this.#depths?.received(message, depth);
    const now = monotonicMs();
    if (stamps !== undefined) this.#stages?.received(message, stamps, now);
    this.#openHost().receive(from, message, now);
  };

  constructor(spec: ActorSpec, inbox: Inbox) {
    this.#spec = spec;
    this.#inbox = inbox;
    const { trace, stages, quorums } = spec.options;
    this.#depths = trace ? new DepthTracker() : undefined;
    this.#stages = stages ? new StageTimes(quorums.accept) : undefined;
    // A client announces itself before it sends: whoever is to answer it has been told, and only has to listen.
    this.#post = new Post({ depths: this.#depths, stages: this.#stages }, undefined, () =>
      this.#clients?.drain(),
    );
    const { channel, name } = spec;
    this.#clients =
      channel === undefined ? undefined : new ActorClients(channel, name, this.attach.bind(this));
    this.#metrics = new ActorMetrics(spec.metrics);
    this.#meter = new ActorMeter(this.#metrics, this.#inbox, this.#post.traffic);
  }

  async start(connections: readonly ConnectionEnds[]): Promise<boolean> {
    try {
      for (const ends of connections) this.attach(ends);
      this.#host = await openRole(this.#spec, this.#metrics, this.#depths, notice => this.#notify(notice));
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

  /** Settles when it has started, with why not if it has failed, or when it was stopped. */
  async started(): Promise<StartFailure | undefined> {
    await this.#starting;
    return this.#failure;
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
    this.#metrics.sawDepth(depthBytes);
    const { depthBytesMax } = this.#metrics;
    const droppedFrames = this.#post.traffic.dropped;
    const known = this.#clients;
    const clients = known === undefined || this.#spec.role === "acceptor" ? {} : { clients: known.count };
    const replicas = known === undefined ? {} : { replicas: known.replicas };
    return {
      ...host.status(),
      mailbox: {
        depthBytes,
        depthBytesMax,
        frames,
        bytes,
        wakeUps,
        lostWakeUps,
        droppedFrames,
        ...clients,
        ...replicas,
      },
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
      threadMs: threadMs(),
      ...this.#post.inspectTrace(),
      ...this.#openHost().inspect(stateDigest),
    };
  }

  startProfile(request: ProfileRequest): void {
    this.#profiler ??= new ThreadProfiler();
    this.#profiler.start(request);
  }

  markProfile(): void {
    this.#profiler?.mark();
  }

  stopProfile(): ThreadProfile | undefined {
    return this.#profiler?.stop();
  }

  stall(ms: number): void {
    this.#notify({ type: "stalls" });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  }

  stop(): void {
    this.#isStopped = true;
    this.#started();
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** It, or its thread's event loop in its place, has been at work for so long, in milliseconds. */
  worked(ms: number): void {
    this.#meter.worked(ms);
  }

  /** The event loop has had a turn, which may have been long: how much waits now? */
  lookAtDepth(): void {
    this.#isChanged = true;
    this.#meter.lookAtDepth();
  }

  /** Others may read from now on what it has counted. */
  publish(): void {
    this.#meter.publish();
  }

  /** Takes frames, lets the role act on them, sends what came of it. How many frames it took. */
  turn(): number {
    const frames = this.#inbox.receive(this.#onFrame, runtimeLimits.framesPerTurn);
    if (frames < runtimeLimits.framesPerTurn) {
      for (const client of this.#clients?.takeDeparted() ?? []) this.detach(client);
    }
    // One of many actors of a thread, for which nothing has come: what its deadline brings, `tick` sends.
    if (frames > 0 || this.#isChanged || !this.#isFed || this.isBusy) this.#send(monotonicMs());
    return frames;
  }

  /** Tells its role that its deadline has come. */
  tick(now: number): void {
    this.#openHost().tick(now);
    this.#send(now);
  }

  /** When to tick, in milliseconds; changes with each turn. */
  get deadline(): number {
    return this.#openHost().deadline;
  }

  /** It has something to do that neither a frame nor its deadline brings. */
  get isBusy(): boolean {
    return this.#openHost().isBusy;
  }

  get isFed(): boolean {
    return this.#isFed;
  }

  /** Calls of the control plane that have ended a sleep, for this actor or another one of its thread. */
  get calls(): number {
    return this.#inbox.counters.calls;
  }

  /** Frames that it need not be woken for: see `RoleHost`. */
  get unhurried(): number {
    return this.#openHost().unhurried;
  }

  close(): void {
    this.#meter.publish();
    this.#clients?.close();
    this.#inbox.close();
    this.#post.close();
  }

  #send(now: number): void {
    this.#isChanged = false;
    this.#post.send(this.#openHost().flush(now));
    this.#isFed = this.#post.flush();
  }

  #notify(notice: ActorNotice): void {
    this.#spec.control.postMessage({ notice });
  }

  #openHost(): RoleHost {
    if (this.#host === undefined) throw new Error(`${this.#spec.name} has not started`);
    return this.#host;
  }
}
