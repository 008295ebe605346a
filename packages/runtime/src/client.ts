import { type Address, Client as ClientRole, type Topology } from "@synod/core";
import type { ConnectionEnds, Inspection } from "./actor.js";
import type { BulkCall } from "./bulk-call.js";
import { type BulkCommands, CommandBytes, CommandList } from "./bulk-commands.js";
import { abortError, checkCommandSize, checkSize } from "./call-errors.js";
import { capture, capturedBytesAtMost } from "./capture.js";
import { monotonicMs } from "./clock.js";
import { valueCodec } from "./command-codec.js";
import { type BatchMessage, channels, isProposeTraced, tracePropose } from "./diagnostics.js";
import { SynodError } from "./errors.js";
import { EventLoopReader } from "./event-loop-reader.js";
import { decodeFrame } from "./frame-codec.js";
import { lateError } from "./late-error.js";
import { runtimeLimits } from "./limits.js";
import { type Inbox, type Outbox, openOutbox } from "./mailbox/index.js";
import { ClientMeter } from "./metrics/client-meter.js";
import type { ClientMetricsSnapshot } from "./metrics/snapshot.js";
import {
  type BytesOptions,
  type CallOptions,
  checkCallOptions,
  checkQueryOptions,
  type QueryOptions,
  type ResolvedOptions,
} from "./options.js";
import { PendingQueries } from "./pending-queries.js";
import { Post } from "./post.js";
import type { Waiter } from "./proposal-buffer.js";
import { type Piece, Proposals } from "./proposals.js";
import { keepStageTimes, StageTimes } from "./stage-times.js";
import type {
  AnswerOf,
  AnyStateMachine,
  BytesOf,
  BytesResultOf,
  CommandOf,
  QueryOf,
  ResultOf,
} from "./state-machine.js";
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
  readonly #stages: StageTimes | undefined;
  readonly #attachment: Attachment;
  readonly #proposals = new Proposals();
  readonly #queries = new PendingQueries(id => {
    this.#role.forgetRead(id);
    this.#meter.queryOver(id);
  });
  readonly #meter = new ClientMeter(monotonicMs);
  /** Frames that found no room in a lane; nothing new is submitted before they are gone. */
  #backlog: { readonly to: Address; readonly frame: Uint8Array }[] = [];
  #backlogBytes = 0;
  #flushScheduled = false;
  #sampledMs = 0;
  #isTraced = false;
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
      onFrame: (from, frame) => this.#receive(from, frame),
      onFrames: () => this.#afterRole(),
      onPause: () => this.#send(),
    });
    this.#attachment = attachment;
    const depths = options.trace ? new DepthTracker() : undefined;
    this.#stages = options.stages ? new StageTimes(options.quorums.accept) : undefined;
    if (this.#stages !== undefined) keepStageTimes(this, this.#stages);
    this.#post = new Post({ depths, stages: this.#stages }, (to, frame, lane) => {
      // What asks for a sign of life or a read mark is asked again, and may be for a proposer that is down for good.
      if (lane === "bulk") this.#keep(to, frame);
    });
    for (const [to, outbox] of outboxes) this.#post.add(to, outbox);
  }

  /** The name under which `status()` and errors speak of this client. */
  get name(): Address {
    return this.#role.address;
  }

  /**
   * The highest instance of the log whose effect this client has been shown, by an answer of any kind; -1 when none.
   * A replica that has reached it shows at least as much.
   */
  get seenInstance(): number {
    return this.#role.observedBelow - 1;
  }

  /**
   * Replaces the ends of the connections to an actor whose thread is another one now.
   * @internal
   */
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
    if (!this.#flushScheduled) this.#isTraced = isProposeTraced();
    return this.#isTraced ? this.#proposeTraced(command, options) : this.#propose(command, options);
  }

  /** On its own: a function that closes over its arguments makes garbage at each call, traced or not. */
  #proposeTraced(command: CommandOf<M>, options?: CallOptions): Promise<ResultOf<M>> {
    return tracePropose({ client: this.name, command }, () => this.#propose(command, options));
  }

  #propose(command: CommandOf<M>, options?: CallOptions): Promise<ResultOf<M>> {
    let captured: unknown;
    try {
      this.#check(options);
      this.#proposals.checkRoom(this.name);
      captured = capture(command, "command");
      checkCommandSize(captured, capturedBytesAtMost());
    } catch (error) {
      return Promise.reject(error);
    }
    const signal = options?.signal;
    const deadline = this.#turnMs() + (options?.timeoutMs ?? timeoutMsDefault);
    this.#stages?.called(this.#proposals.queued);
    if (this.#meter.wantsCommand) this.#meter.proposed(this.#proposals.addedSingle, this.#sampledMs);
    const promise = this.#proposals.add(captured, capturedBytesAtMost(), deadline, signal);
    if (signal !== undefined) this.#proposals.listen(signal, waiter => this.#abort(waiter, signal));
    this.#armTimer(deadline);
    this.#scheduleFlush();
    const { queued } = this.#proposals;
    if (queued >= this.#role.submissionCommands(queued)) this.#flush();
    return promise as Promise<ResultOf<M>>;
  }

  /**
   * Puts many commands into the log, in their order, with one promise for all of them; resolves with what `apply`
   * returned for each. Between them may stand commands of other clients, none of this one. All of them are captured at
   * the call, which takes a tenth of a microsecond or more for each; if one is refused none is sent. They are sent as
   * the client's window has room, however many they are; `timeoutMs` and `signal` are for all of them together.
   *
   * Rejects with a {@link SynodError} of outcome `not-applied` where nothing was sent, as {@link propose} does, and
   * whose `path` names a command that was refused; later with a {@link ProposeAllError} that says of each command
   * what came of it.
   */
  proposeAll(commands: readonly CommandOf<M>[], options?: CallOptions): Promise<ResultOf<M>[]> {
    return this.#proposeBulk(() => new CommandList(commands), options, []) as Promise<ResultOf<M>[]>;
  }

  /**
   * Puts commands that are bytes into the log, for a state machine with `applyBatch`: one every `recordBytes` bytes, or
   * one from each of `offsets` to the next, which begin with 0. Resolves with a number for each of them, or with
   * undefined if the machine gives no results. Otherwise as {@link proposeAll}, which rejects in the same ways.
   */
  proposeBytes(bytes: BytesOf<M>, options: BytesOptions): Promise<BytesResultOf<M>> {
    const { recordBytes, offsets, ...callOptions } = options ?? {};
    const layout = { recordBytes, offsets };
    const commands = () => new CommandBytes(bytes, layout);
    return this.#proposeBulk(commands, callOptions, new Float64Array()) as Promise<BytesResultOf<M>>;
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
      checkSize("the query", bytes.byteLength);
    } catch (error) {
      return Promise.reject(error);
    }
    const now = monotonicMs();
    const deadline = now + (options?.timeoutMs ?? timeoutMsDefault);
    const id = this.#role.read(bytes, options?.consistency ?? "sequential", deadline, now);
    const promise = this.#queries.add(id, options?.signal);
    this.#meter.asked(id, now);
    this.#armTimer(Math.min(deadline, this.#role.deadline));
    this.#scheduleFlush();
    return promise as Promise<AnswerOf<M>>;
  }

  /** Settles every open promise with `CLUSTER_CLOSED` and gives the session back. Calling it again is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The same as {@link close}, for `await using`. */
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

  /**
   * What this client has counted since it was made, and what is open at present. It asks nobody, and may be called
   * after `close()` as well.
   */
  metrics(): ClientMetricsSnapshot {
    const { open: openCommands, queued: queuedCommands, queuedBytes } = this.#proposals;
    const open = { openCommands, queuedCommands, queuedBytes, openQueries: this.#queries.open };
    return this.#meter.read(this.name, open, this.#inbox.counters, this.#post.traffic);
  }

  async #close(): Promise<void> {
    const error = (outcome: "not-applied" | "unknown") =>
      new SynodError("CLUSTER_CLOSED", `${this.name} was closed before it was answered`, { outcome });
    this.#role.close();
    this.#send();
    this.#proposals.rejectAll(error, this.#abandon);
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

  /** `none` is the result of no commands. */
  #proposeBulk(
    capture: () => BulkCommands,
    options: CallOptions | undefined,
    none: unknown,
  ): Promise<unknown> {
    let commands: BulkCommands;
    try {
      this.#check(options);
      this.#proposals.checkRoom(this.name);
      commands = capture();
    } catch (error) {
      return Promise.reject(error);
    }
    if (commands.count === 0) return Promise.resolve(none);
    const signal = options?.signal;
    const deadline = this.#turnMs() + (options?.timeoutMs ?? timeoutMsDefault);
    this.#stages?.called(this.#proposals.queued);
    const call = this.#proposals.addAll(commands, deadline, signal, this.#abortCall);
    this.#meter.called(call.promise, this.#sampledMs);
    this.#armTimer(deadline);
    this.#scheduleFlush();
    const { queued } = this.#proposals;
    if (queued >= this.#role.submissionCommands(queued)) this.#flush();
    // What is not encoded yet must not change any more.
    if (commands instanceof CommandBytes && call.next < commands.count) commands.keep(call.next);
    return call.promise;
  }

  #checkQueries(): void {
    if (this.#queries.open < runtimeLimits.clientQueries) return;
    const message = `${this.#queries.open} queries of ${this.name} are open already: wait for some of them first`;
    throw new SynodError("OVERLOADED", message, { outcome: "not-applied" });
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
    while (this.#proposals.queued > 0 && this.#backlog.length === 0) {
      const room = Math.min(this.#role.room, this.#role.submissionCommands(this.#proposals.queued));
      if (room <= 0) break;
      const piece = this.#proposals.take(room, bytesMax);
      if (piece === undefined) continue;
      const first = this.#role.submit(piece.bytes, piece.deadlines, now);
      this.#proposals.submitted(piece, first);
      this.#stages?.numbered(first, piece.deadlines.length);
      this.#noteSent(first, piece);
      this.#post.send(this.#role.takeReady().send);
    }
    if (this.#queries.open > 0) this.#afterRole();
    this.#post.flush();
  }

  #receive(from: Address, frame: Uint8Array): void {
    const { message, stamps } = decodeFrame(frame);
    const now = monotonicMs();
    if (stamps !== undefined) this.#stages?.received(message, stamps, now);
    this.#role.receive(from, message, now);
  }

  #noteSent(firstSequence: number, { bytes, deadlines }: Piece): void {
    const commands = deadlines.length;
    this.#meter.sent(commands, firstSequence + commands - 1, this.#proposals.takenSingle);
    if (!channels.batch.hasSubscribers) return;
    const message: BatchMessage = { client: this.name, firstSequence, commands, bytes: bytes.byteLength };
    channels.batch.publish(message);
  }

  /** False once it is closed, which it is with its cluster. */
  #isOpen(): boolean {
    if (this.#attachment.isClusterClosed) void this.close();
    return this.#closing === undefined;
  }

  /** Actors that a client hears nothing of may know nothing of it: announcements reach only those that run. */
  #announceIfUnheard(now: number): void {
    const silentMs = now - Math.max(this.#reader.heardAtMs, this.#announcedAtMs);
    const hasOpen = this.#proposals.open > 0 || this.#queries.open > 0 || this.#opened !== undefined;
    if (!hasOpen || silentMs < runtimeLimits.announceAfterMs) return;
    this.#announcedAtMs = now;
    this.#attachment.announce();
  }

  /** Settles what the role has found out, and sends what it wants to say. */
  #afterRole(): void {
    const { send, settled, expired, answered, expiredReads } = this.#role.takeReady();
    for (const { firstSequence, results } of settled) {
      this.#meter.answered(firstSequence, results.length);
      this.#proposals.settle(firstSequence, results);
    }
    this.#stages?.settled();
    this.#meter.late(expired.length);
    if (expired.length > 0)
      this.#proposals.rejectLate(expired, reason =>
        lateError(`a command of ${this.name}`, reason, "unknown"),
      );
    for (const { id, result } of answered) {
      this.#meter.queryAnswered(id);
      this.#queries.answer(id, result);
    }
    for (const { id, reason } of expiredReads) {
      this.#meter.queryOver(id);
      this.#queries.reject(id, lateError(`a query of ${this.name}`, reason, "not-applied"));
    }
    this.#post.send(send);
    if (this.#role.state === "open") this.#opened?.resolve();
    if (this.#role.state === "expired") this.#expire();
    this.#retryBacklog();
    // Only when there is room: trying again each tick, without it, would keep the event loop from what makes room.
    if (this.#proposals.queued > 0 && this.#role.room > 0 && this.#backlog.length === 0)
      this.#scheduleFlush();
    this.#updateKeepAlive();
  }

  #send(): void {
    this.#afterRole();
    this.#post.flush();
  }

  /** What is too much is as good as lost on the way: it is sent again. */
  #keep(to: Address, frame: Uint8Array): void {
    if (this.#backlogBytes + frame.byteLength > runtimeLimits.clientBacklogBytes) return;
    this.#backlog.push({ to, frame: new Uint8Array(frame) });
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
    this.#proposals.rejectAll(
      outcome => new SynodError("SESSION_EXPIRED", message, { outcome }),
      this.#abandon,
    );
  }

  readonly #abandon = (sequence: number): boolean => this.#role.abandon(sequence);

  readonly #abortCall = (call: BulkCall): void => {
    const signal = call.signal as AbortSignal;
    this.#proposals.abandon(call, outcome => abortError(signal, outcome), this.#abandon);
    this.#updateKeepAlive();
  };

  #abort(waiter: Waiter, signal: AbortSignal): void {
    const sequence = waiter.sequence;
    if (sequence === undefined) {
      this.#proposals.cancel(waiter, abortError(signal, "not-applied"));
      this.#meter.cancelled(this.#proposals.addedSingle === this.#proposals.takenSingle);
    } else {
      this.#role.abandon(sequence);
      this.#proposals.reject(sequence, abortError(signal, "unknown"));
    }
    this.#updateKeepAlive();
  }

  /** One timer serves deadlines and resends, and keeps the process alive exactly while a promise is open. */
  #armTimer(at: number): void {
    const open = this.#proposals.open > 0 || this.#queries.open > 0;
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
    this.#proposals.expireQueued(now, () => lateError(`a command of ${this.name}`, reason, "not-applied"));
    this.#meter.cancelled(this.#proposals.addedSingle === this.#proposals.takenSingle);
    this.#send();
    const next = Math.min(this.#role.deadline, this.#proposals.earliestQueuedDeadline);
    if (next < Number.POSITIVE_INFINITY || this.#backlog.length > 0) {
      this.#armTimer(this.#backlog.length > 0 ? now + 1 : next);
    }
  };

  #updateKeepAlive(): void {
    const open = this.#proposals.open > 0 || this.#queries.open > 0;
    if (open === this.#keepsAlive || this.#timer === undefined) return;
    this.#keepsAlive = open;
    if (open) this.#timer.ref();
    else this.#timer.unref();
  }
}
