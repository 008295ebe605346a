import type { InboxCounters } from "../mailbox/index.js";
import type { TrafficCounters } from "../traffic.js";
import { stepsPerUnitOf } from "./actor-metrics.js";
import { Histogram } from "./histogram.js";
import type { ClientMetricsSnapshot } from "./snapshot.js";

/** What is open at a client at present. */
type Open = Pick<ClientMetricsSnapshot, "openCommands" | "queuedCommands" | "queuedBytes" | "openQueries">;

/**
 * Counts and times what a client does. One command and one query at a time are timed, so that others pay nothing.
 *
 * The timed command is known by its place in the queue until it is sent, then by its sequence number; by that of the
 * last command beside it, which is answered in the same Response.
 */
export class ClientMeter {
  readonly #proposeMs = new Histogram(stepsPerUnitOf("proposeMs"));
  readonly #proposeAllMs = new Histogram(stepsPerUnitOf("proposeAllMs"));
  readonly #queryMs = new Histogram(stepsPerUnitOf("queryMs"));
  #sentCommands = 0;
  #answeredCommands = 0;
  #lateCommands = 0;
  #timing: { readonly ordinal: number; readonly sinceMs: number; sequence: number } | undefined;
  #isCallTimed = false;
  readonly #now: () => number;
  #query: { readonly id: number; readonly sinceMs: number } | undefined;

  /** `now` is asked only for what is timed. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether the next command is to be timed. Asked for each of them. */
  get wantsCommand(): boolean {
    return this.#timing === undefined;
  }

  /** This command is timed: so many were queued before it in the client's life. */
  proposed(ordinal: number, now: number): void {
    this.#timing = { ordinal, sinceMs: now, sequence: -1 };
  }

  /** Commands may have been cancelled. If none waits to be sent, the one that was timed and did not leave was. */
  cancelled(noneWaits: boolean): void {
    if (noneWaits && this.#timing !== undefined && this.#timing.sequence < 0) this.#timing = undefined;
  }

  /** Commands were sent, up to `sequence`: all that was queued before `ordinal` is sent now, or was cancelled. */
  sent(commands: number, sequence: number, ordinal: number): void {
    this.#sentCommands += commands;
    const timing = this.#timing;
    if (timing !== undefined && timing.sequence < 0 && timing.ordinal < ordinal) timing.sequence = sequence;
  }

  /** A call with many commands was made. */
  called(promise: Promise<unknown>, sinceMs: number): void {
    if (this.#isCallTimed) return;
    this.#isCallTimed = true;
    const over = () => {
      this.#isCallTimed = false;
    };
    const answered = () => {
      over();
      this.#proposeAllMs.record(this.#now() - sinceMs);
    };
    promise.then(answered, over);
  }

  /** Results have come. */
  answered(firstSequence: number, count: number): void {
    this.#answeredCommands += count;
    const timing = this.#timing;
    if (timing === undefined || timing.sequence < 0 || timing.sequence >= firstSequence + count) return;
    // One that was given up has no answer: what comes later says nothing of it.
    if (timing.sequence >= firstSequence) this.#proposeMs.record(this.#now() - timing.sinceMs);
    this.#timing = undefined;
  }

  late(commands: number): void {
    this.#lateCommands += commands;
  }

  asked(id: number, now: number): void {
    this.#query ??= { id, sinceMs: now };
  }

  queryAnswered(id: number): void {
    if (this.#query?.id === id) this.#queryMs.record(this.#now() - this.#query.sinceMs);
    this.queryOver(id);
  }

  /** A query is over, answered or not. */
  queryOver(id: number): void {
    if (this.#query?.id === id) this.#query = undefined;
  }

  read(name: string, open: Open, inbox: InboxCounters, traffic: TrafficCounters): ClientMetricsSnapshot {
    return {
      name,
      ...open,
      sentCommands: this.#sentCommands,
      answeredCommands: this.#answeredCommands,
      lateCommands: this.#lateCommands,
      sentFrames: traffic.frames,
      sentBytes: traffic.bytes,
      droppedFrames: traffic.dropped,
      wakeUps: inbox.wakeUps,
      lostWakeUps: inbox.lostWakeUps,
      proposeMs: this.#proposeMs.read(),
      proposeAllMs: this.#proposeAllMs.read(),
      queryMs: this.#queryMs.read(),
    };
  }
}
