import { type Address, Client as ClientRole, type Topology } from "@synod/core";
import type { ConnectionEnds, Inspection } from "./actor.js";
import { capture, capturedBytesAtMost } from "./capture.js";
import { monotonicMs } from "./clock.js";
import { commandCodec, valueCodec } from "./command-codec.js";
import { SynodError } from "./errors.js";
import { EventLoopReader } from "./event-loop-reader.js";
import { decodeFrame } from "./frame-codec.js";
import { lateError } from "./late-error.js";
import { type Inbox, type Outbox, openOutbox } from "./mailbox/index.js";
import {
  type CallOptions,
  checkCallOptions,
  checkQueryOptions,
  type QueryOptions,
  type ResolvedOptions,
  runtimeLimits,
} from "./options.js";
import { PendingQueries } from "./pending-queries.js";
import { Post } from "./post.js";
import { ProposalBuffer, type Waiter } from "./proposal-buffer.js";
import type { AnswerOf, AnyStateMachine, CommandOf, QueryOf, ResultOf } from "./state-machine.js";
import { DepthTracker } from "./traffic.js";

/** What a client is made of; {@link Cluster.connect} puts it together. */
export interface ClientParts {
  readonly client: number;
  readonly topology: Topology;
  readonly options: ResolvedOptions;
  readonly inbox: Inbox;
  readonly outboxes: ReadonlyMap<Address, Outbox>;
  readonly attachment: Attachment;
}

/** What the cluster's actors know of a client's lanes. */
export interface Attachment {
  /** True once the cluster is closed, though nobody on this thread may have been told. */
  readonly isClusterClosed: boolean;
  /** Tells the actors of the lanes once more, in case that they have not heard of them. */
  announce(): void;
  /** Called once, when the client has closed: takes its lanes away from the actors. */
  detach(): Promise<void>;
}

const timeoutMsDefault = 10_000;
/** The timer looks at least this often while something is open, in milliseconds. */
const timerMsMax = 100;

/**
 * Proposes commands and asks queries from one thread. Commands of one client take effect in the order of the
 * calls, each exactly once.
 */
export class Client<M extends AnyStateMachine = AnyStateMachine> implements AsyncDisposable {
  readonly #role: ClientRole;
  readonly #inbox: Inbox;
  readonly #reader: EventLoopReader;
  readonly #post: Post;
  readonly #options: ResolvedOptions;
  readonly #attachment: Attachment;
  readonly #buffer = new ProposalBuffer();
  readonly #queries = new PendingQueries(id => this.#role.forgetRead(id));
  /** Frames that found no room in a lane; nothing new is submitted before they are gone. */
  #backlog: { readonly to: Address; readonly frame: Uint8Array }[] = [];
  #backlogBytes = 0;
  #flushScheduled = false;
  #sampledMs = 0;
  #closing: Promise<void> | undefined;
  #opened: { resolve: () => void; reject: (error: SynodError) => void } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  /** It was armed while something was open, and so looks soon enough whatever is called now. */
  #isTimerSoon = false;
  #keepsAlive = false;
  #announcedAtMs = monotonicMs();

  constructor({ client, topology, options, inbox, outboxes, attachment }: ClientParts) {
    this.#role = new ClientRole({
      topology,
      client,
      windowCommandsMax: runtimeLimits.clientWindowCommands,
      leaseMs: options.leaseMs,
      retryAfterMs: runtimeLimits.retryAfterMs,
      retryAfterMsMax: runtimeLimits.retryAfterMsMax,
      keepAliveMs: options.sessionTimeoutMs / runtimeLimits.keepAlivesPerTimeout,
      // A distinguished learner knows first; a leader begins with the first learner.
      answerer: options.distinguishedLearner ? 0 : (client - 1) % topology.learners,
      batch: options.batch,
    });
    this.#options = options;
    this.#inbox = inbox;
    this.#reader = new EventLoopReader(inbox, {
      isOpen: () => this.#isOpen(),
      onFrame: (from, frame) => this.#role.receive(from, decodeFrame(frame).message, monotonicMs()),
      onFrames: () => this.#afterRole(),
      onPause: () => this.#send(),
    });
    this.#attachment = attachment;
    this.#post = new Post(options.trace ? new DepthTracker() : undefined, (to, frame, lane) => {
      // What asks for a sign of life or a read mark is asked again, and may be for a proposer that is down for good.
      if (lane === "bulk") this.#keep(to, frame);
    });
    for (const [to, outbox] of outboxes) this.#post.add(to, outbox);
  }

  /** The name under which `status()` and errors speak of this client. */
  get name(): Address {
    return this.#role.address;
  }

  /** Replaces the ends of the connections to an actor whose thread is another one now. */
  replaceEnds({ peer, sending, receiving }: Required<ConnectionEnds>): void {
    if (this.#closing !== undefined) return;
    this.#post.add(peer, openOutbox(sending, peer));
    this.#inbox.attach(peer, receiving);
  }

  /** Opens the session. @throws SynodError `CLUSTER_CLOSED`, `NO_QUORUM`, `TIMEOUT`, `STORAGE_FAILED` */
  async open(timeoutMs = timeoutMsDefault): Promise<void> {
    // Looked at after the actors and the supervisor were told: whoever closes looks in the other order.
    this.#isOpen();
    this.#check(undefined);
    this.#reader.listen();
    const opened = new Promise<void>((resolve, reject) => {
      this.#opened = { resolve, reject };
    });
    const timer = setTimeout(() => {
      // What has come meanwhile counts, on a thread that was blocked.
      this.#reader.receiveWaiting();
      const reason = this.#role.lateReason(monotonicMs());
      this.#opened?.reject(lateError(`the session of ${this.name}`, reason, "not-applied"));
    }, timeoutMs);
    this.#role.open(monotonicMs());
    this.#send();
    this.#armTimer(this.#role.deadline);
    try {
      await opened;
      // The timer still waits for an answer to be late, which may take longer than the session lasts in silence.
      this.#armTimer(this.#role.deadline);
    } finally {
      clearTimeout(timer);
      this.#opened = undefined;
    }
  }

  /**
   * Puts a command into the log; resolves with what the state machine's `apply` returned once it is chosen and
   * applied on the learner that answers this client. The command is captured at the call.
   *
   * Rejects with a {@link SynodError}: `NOT_SERIALIZABLE`, `COMMAND_TOO_LARGE`, `INVALID_OPTIONS`, `OVERLOADED`,
   * `ABORTED`, `NO_QUORUM`, `TIMEOUT`, `STORAGE_FAILED`, `STATE_MACHINE_FAILED`, `SESSION_EXPIRED`, `CLUSTER_CLOSED`; its `outcome` says whether
   * the command may take effect all the same.
   */
  propose(command: CommandOf<M>, options?: CallOptions): Promise<ResultOf<M>> {
    let captured: unknown;
    try {
      this.#check(options);
      this.#checkQueue();
      captured = capture(command, "command");
      this.#checkSize(captured, capturedBytesAtMost());
    } catch (error) {
      return Promise.reject(error);
    }
    const signal = options?.signal;
    const deadline = this.#turnMs() + (options?.timeoutMs ?? timeoutMsDefault);
    const promise = this.#buffer.add(captured, capturedBytesAtMost(), deadline, signal);
    if (signal !== undefined) this.#buffer.listen(signal, waiter => this.#abort(waiter, signal));
    this.#armTimer(deadline);
    this.#scheduleFlush();
    const { queued } = this.#buffer;
    if (queued >= this.#role.submissionCommands(queued)) this.#flush();
    return promise as Promise<ResultOf<M>>;
  }

  /**
   * Asks a learner's state machine. By default the answer shows everything that this client was told before and
   * never goes back; with `consistency: "linearizable"` everything that any client was told before the call.
   */
  query(query: QueryOf<M>, options?: QueryOptions): Promise<AnswerOf<M>> {
    let bytes: Uint8Array;
    try {
      this.#check(options, checkQueryOptions);
      this.#checkQueries();
      bytes = valueCodec.encode(capture(query, "query"));
      this.#checkBytes("query", bytes.byteLength);
    } catch (error) {
      return Promise.reject(error);
    }
    const now = monotonicMs();
    const deadline = now + (options?.timeoutMs ?? timeoutMsDefault);
    const id = this.#role.read(bytes, options?.consistency ?? "sequential", deadline, now);
    const promise = this.#queries.add(id, options?.signal);
    this.#armTimer(Math.min(deadline, this.#role.deadline));
    this.#scheduleFlush();
    return promise as Promise<AnswerOf<M>>;
  }

  /** Settles every open promise with `CLUSTER_CLOSED` and gives the session back. Calling it again is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What this client has sent so far. */
  inspect(): Inspection {
    const { wakeUps, lostWakeUps } = this.#inbox.counters;
    const sent = this.#post.traffic.read();
    const droppedFrames = this.#post.traffic.dropped;
    const trace = this.#post.inspectTrace();
    return { name: this.name, role: "client", sent, wakeUps, lostWakeUps, droppedFrames, ...trace };
  }

  async #close(): Promise<void> {
    const error = (outcome: "not-applied" | "unknown") =>
      new SynodError("CLUSTER_CLOSED", `${this.name} was closed before it was answered`, { outcome });
    this.#role.close();
    this.#send();
    this.#buffer.rejectAll(error);
    this.#queries.rejectAll(error("not-applied"));
    this.#opened?.reject(error("not-applied"));
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#inbox.close();
    await this.#attachment.detach();
    this.#post.close();
  }

  #check(options: CallOptions | undefined, checkOptions = checkCallOptions): void {
    if (this.#closing !== undefined) {
      const message = `${this.name} is closed: connect() again, or start a new cluster`;
      throw new SynodError("CLUSTER_CLOSED", message, { outcome: "not-applied" });
    }
    if (this.#role.state === "expired") {
      const message = `the session of ${this.name} is gone: connect() again`;
      throw new SynodError("SESSION_EXPIRED", message, { outcome: "not-applied" });
    }
    if (options === undefined) return;
    checkOptions(options);
    if (options.signal?.aborted) throw abortError(options.signal, "not-applied");
  }

  #checkQueue(): void {
    if (this.#buffer.queued >= runtimeLimits.clientQueueCommands) {
      const message = `${this.#buffer.queued} commands of ${this.name} wait already: wait for some of them first`;
      throw new SynodError("OVERLOADED", message, { outcome: "not-applied" });
    }
    if (this.#buffer.queuedBytes >= runtimeLimits.clientQueueBytes) {
      const message = `commands of ${this.name} that may take ${this.#buffer.queuedBytes} bytes wait already: wait for some of them first`;
      throw new SynodError("OVERLOADED", message, { outcome: "not-applied" });
    }
  }

  #checkQueries(): void {
    if (this.#queries.open < runtimeLimits.clientQueries) return;
    const message = `${this.#queries.open} queries of ${this.name} are open already: wait for some of them first`;
    throw new SynodError("OVERLOADED", message, { outcome: "not-applied" });
  }

  /** The bound that capturing gives is generous; only what exceeds it is measured by encoding it. */
  #checkSize(captured: unknown, bytesAtMost: number): void {
    if (bytesAtMost <= runtimeLimits.commandBytesMax) return;
    this.#checkBytes("command", valueCodec.encode(captured).byteLength);
  }

  #checkBytes(what: string, bytes: number): void {
    if (bytes <= runtimeLimits.commandBytesMax) return;
    const message = `the ${what} takes ${bytes} bytes, more than ${runtimeLimits.commandBytesMax}: split it`;
    throw new SynodError("COMMAND_TOO_LARGE", message, { outcome: "not-applied" });
  }

  /** The time, sampled once for all calls of a turn: what a deadline is counted from need not be more exact. */
  #turnMs(): number {
    if (!this.#flushScheduled || this.#sampledMs === 0) this.#sampledMs = monotonicMs();
    return this.#sampledMs;
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    process.nextTick(this.#flushAtEndOfTurn);
  }

  readonly #flushAtEndOfTurn = (): void => {
    this.#flushScheduled = false;
    if (this.#closing === undefined) this.#flush();
  };

  /** Submits what waits, as far as window and lanes have room. */
  #flush(): void {
    const now = monotonicMs();
    this.#retryBacklog();
    const { bytesMax } = this.#options.batch;
    while (this.#buffer.queued > 0 && this.#backlog.length === 0) {
      const room = Math.min(this.#role.room, this.#role.submissionCommands(this.#buffer.queued));
      if (room <= 0) break;
      const piece = this.#buffer.take(room, bytesMax);
      if (piece === undefined) continue;
      const first = this.#role.submit(commandCodec.encode(piece.commands), piece.deadlines, now);
      this.#buffer.submitted(piece, first);
      this.#post.send(this.#role.takeReady().send);
    }
    if (this.#queries.open > 0) this.#afterRole();
    this.#post.flush();
  }

  /** False once it is closed, which it is with its cluster. */
  #isOpen(): boolean {
    if (this.#attachment.isClusterClosed) void this.close();
    return this.#closing === undefined;
  }

  /** Actors that a client hears nothing of may know nothing of it: announcements reach only those that run. */
  #announceIfUnheard(now: number): void {
    const silentMs = now - Math.max(this.#reader.heardAtMs, this.#announcedAtMs);
    const hasOpen = this.#buffer.open > 0 || this.#queries.open > 0 || this.#opened !== undefined;
    if (!hasOpen || silentMs < runtimeLimits.announceAfterMs) return;
    this.#announcedAtMs = now;
    this.#attachment.announce();
  }

  /** Settles what the role has found out, and sends what it wants to say. */
  #afterRole(): void {
    const { send, settled, expired, answered, expiredReads } = this.#role.takeReady();
    for (const { firstSequence, results } of settled) this.#buffer.settle(firstSequence, results);
    for (const { sequence, reason } of expired) {
      this.#buffer.reject(sequence, lateError(`a command of ${this.name}`, reason, "unknown"));
    }
    for (const { id, result } of answered) this.#queries.answer(id, result);
    for (const { id, reason } of expiredReads) {
      this.#queries.reject(id, lateError(`a query of ${this.name}`, reason, "not-applied"));
    }
    this.#post.send(send);
    if (this.#role.state === "open") this.#opened?.resolve();
    if (this.#role.state === "expired") this.#expire();
    this.#retryBacklog();
    // Only when there is room: trying again each tick, without it, would keep the event loop from what makes room.
    if (this.#buffer.queued > 0 && this.#role.room > 0 && this.#backlog.length === 0) this.#scheduleFlush();
    this.#updateKeepAlive();
  }

  #send(): void {
    this.#afterRole();
    this.#post.flush();
  }

  /** What is too much is as good as lost on the way: it is sent again. */
  #keep(to: Address, frame: Uint8Array): void {
    if (this.#backlogBytes + frame.byteLength > runtimeLimits.clientBacklogBytes) return;
    this.#backlog.push({ to, frame: frame.slice() });
    this.#backlogBytes += frame.byteLength;
  }

  /** Whoever does not lead any more may never read again, and holds up nobody: the leader is sent what it needs. */
  #retryBacklog(): void {
    if (this.#backlog.length === 0) return;
    const frames = this.#backlog.filter(({ to }) => to === this.#role.leader);
    this.#backlog = [];
    this.#backlogBytes = 0;
    for (const { to, frame } of frames) {
      if (this.#backlog.length > 0) this.#keep(to, frame);
      else this.#post.write(to, frame, "bulk");
    }
  }

  #expire(): void {
    const message = `the session of ${this.name} is gone: connect() again`;
    this.#buffer.rejectAll(outcome => new SynodError("SESSION_EXPIRED", message, { outcome }));
  }

  #abort(waiter: Waiter, signal: AbortSignal): void {
    const sequence = waiter.sequence;
    if (sequence === undefined) this.#buffer.cancel(waiter, abortError(signal, "not-applied"));
    else {
      this.#role.abandon(sequence);
      this.#buffer.reject(sequence, abortError(signal, "unknown"));
    }
    this.#updateKeepAlive();
  }

  /** One timer serves deadlines and resends, and keeps the process alive exactly while a promise is open. */
  #armTimer(at: number): void {
    const open = this.#buffer.open > 0 || this.#queries.open > 0;
    const isLate = at < this.#timerAt - 1 || (open && !this.#isTimerSoon);
    if (this.#timer === undefined || isLate) {
      const now = monotonicMs();
      clearTimeout(this.#timer);
      this.#isTimerSoon = open;
      this.#timerAt = open ? Math.min(at, now + timerMsMax) : at;
      this.#timer = setTimeout(this.#onTimer, Math.max(1, this.#timerAt - now));
      this.#keepsAlive = true;
    }
    this.#updateKeepAlive();
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    if (!this.#isOpen()) return;
    // A thread that wakes up late reads its mail before any of its deadlines passes.
    this.#reader.receiveWaiting();
    if (this.#closing !== undefined) return;
    const now = monotonicMs();
    this.#announceIfUnheard(now);
    if (now >= this.#role.deadline) this.#role.tick(now);
    const reason = this.#role.lateReason(now);
    this.#buffer.expireQueued(now, () => lateError(`a command of ${this.name}`, reason, "not-applied"));
    this.#send();
    const next = Math.min(this.#role.deadline, this.#buffer.earliestQueuedDeadline);
    if (next < Number.POSITIVE_INFINITY || this.#backlog.length > 0) {
      this.#armTimer(this.#backlog.length > 0 ? now + 1 : next);
    }
  };

  #updateKeepAlive(): void {
    const open = this.#buffer.open > 0 || this.#queries.open > 0;
    if (open === this.#keepsAlive || this.#timer === undefined) return;
    this.#keepsAlive = open;
    if (open) this.#timer.ref();
    else this.#timer.unref();
  }
}

function abortError(signal: AbortSignal, outcome: "not-applied" | "unknown"): SynodError {
  const fate = outcome === "unknown" ? "it may still take effect" : "it was not sent";
  return new SynodError("ABORTED", `the caller's signal ended the wait for a command; ${fate}`, {
    outcome,
    cause: signal.reason,
  });
}
