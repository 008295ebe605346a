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
  readonly #queryMs = new Histogram(stepsPerUnitOf("queryMs"));
  #sentCommands = 0;
  #answeredCommands = 0;
  #lateCommands = 0;
  #timing: { readonly ordinal: number; readonly sinceMs: number; sequence: number } | undefined;
  #query: { readonly id: number; readonly sinceMs: number } | undefined;

  /** Whether the next command is to be timed. Asked for each of them. */
  get wantsCommand(): boolean {
    return this.#timing === undefined;
  }

  /** This command is timed: so many were queued before it in the client's life. */
  proposed(ordinal: number, now: number): void {
    this.#timing = { ordinal, sinceMs: now, sequence: -1 };
  }

  /** No command waits to be sent: one that was timed and did not leave was cancelled. */
  queueIsEmpty(): void {
    if (this.#timing !== undefined && this.#timing.sequence < 0) this.#timing = undefined;
  }

  /** Commands were sent, up to `sequence`: all that was queued before `ordinal` is sent now, or was cancelled. */
  sent(commands: number, sequence: number, ordinal: number): void {
    this.#sentCommands += commands;
    const timing = this.#timing;
    if (timing !== undefined && timing.sequence < 0 && timing.ordinal < ordinal) timing.sequence = sequence;
  }

  /** Results have come; `now` is asked only for what is timed. */
  answered(firstSequence: number, count: number, now: () => number): void {
    this.#answeredCommands += count;
    const timing = this.#timing;
    if (timing === undefined || timing.sequence < 0 || timing.sequence >= firstSequence + count) return;
    // One that was given up has no answer: what comes later says nothing of it.
    if (timing.sequence >= firstSequence) this.#proposeMs.record(now() - timing.sinceMs);
    this.#timing = undefined;
  }

  late(): void {
    this.#lateCommands += 1;
  }

  asked(id: number, now: number): void {
    this.#query ??= { id, sinceMs: now };
  }

  /** A query was answered; without `now`, it is over without an answer. */
  queryOver(id: number, now?: () => number): void {
    if (this.#query?.id !== id) return;
    if (now !== undefined) this.#queryMs.record(now() - this.#query.sinceMs);
    this.#query = undefined;
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
      queryMs: this.#queryMs.read(),
    };
  }
}
