import { type Ballot, sameBallot } from "./ballot.js";
import type { CommandSegment, SequencedSegment } from "./batch.js";
import type { Results } from "./messages.js";

/** Results of consecutive sequence numbers that the client may still ask for. */
export interface StoredResults {
  readonly firstSequence: number;
  readonly results: Results;
}

interface Session {
  /** Logical time of the last command, in milliseconds. */
  activeAt: number;
  /** The last sequence number that was applied. */
  last: number;
  /** The client has the results below. A run that reaches across is kept whole, but not given out any more. */
  acknowledgedBelow: number;
  stored: StoredResults[];
  /** The gap that was answered last, so that it is answered once. */
  gap: Gap | undefined;
}

interface Gap {
  readonly ballot: Ballot;
  readonly expected: number;
}

/** A session as plain data: a part of a snapshot. */
export interface SessionState {
  readonly session: number;
  readonly activeAt: number;
  readonly last: number;
  readonly acknowledgedBelow: number;
  /** What the client may still ask for, in the order of its numbers. */
  readonly stored: readonly StoredResults[];
  readonly gap: Gap | null;
}

/** What becomes of a segment, decided alike on every replica. */
export type Admission =
  | { readonly kind: "unknownSession" }
  /** Something below is missing: nothing of it is applied. `first` says whether this gap was not reported before. */
  | { readonly kind: "gap"; readonly expected: number; readonly first: boolean }
  /** The first `skip` commands were applied before; the others are to be applied now. */
  | { readonly kind: "apply"; readonly skip: number };

/** Runs the commands of a segment on a state machine. It never throws: a failure is a result. */
export type ApplyCommands = (
  segment: CommandSegment,
  skip: number,
  firstInstance: number,
  timeMs: number,
) => Results;

/**
 * Makes every client's commands take effect exactly once and in its own order, however often and in whatever
 * order they were chosen. It is part of the replicated state.
 *
 * Source: Ongaro, "Consensus: Bridging Theory and Practice", section 6.3; Lamport leaves it to the state machine.
 */
export class SessionTable {
  /** The one that was active longest ago comes first. */
  readonly #sessions = new Map<number, Session>();
  readonly #timeoutMs: number;
  /** The one that comes last; undefined when it may be another one. */
  #latest: number | undefined;

  /**
   * A session without a command for more than `timeoutMs` milliseconds of logical time is forgotten. `states` is what
   * {@link state} gave out: this table then goes on as that one would have.
   */
  constructor(timeoutMs: number, states: readonly SessionState[] = []) {
    this.#timeoutMs = timeoutMs;
    for (const { session, activeAt, last, acknowledgedBelow, stored, gap } of states) {
      const known = { activeAt, last, acknowledgedBelow, stored: [...stored], gap: gap ?? undefined };
      this.#sessions.set(session, known);
    }
  }

  /** All sessions as plain data, the one that was active longest ago first: who expires next is part of it. */
  state(): SessionState[] {
    return [...this.#sessions].map(([session, { activeAt, last, acknowledgedBelow, gap }]) => ({
      session,
      activeAt,
      last,
      acknowledgedBelow,
      stored: [...this.stored(session, acknowledgedBelow, Number.POSITIVE_INFINITY)],
      gap: gap ?? null,
    }));
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Opens the session whose identity is the instance of its opening command. */
  open(instance: number, timeMs: number): void {
    const session = { activeAt: timeMs, last: 0, acknowledgedBelow: 0, stored: [], gap: undefined };
    this.#sessions.set(instance, session);
    this.#latest = undefined;
  }

  /** Forgets who has been silent for too long. Logical time is part of the values: all replicas forget alike. */
  expire(timeMs: number): void {
    for (const [session, { activeAt }] of this.#sessions) {
      if (timeMs - activeAt <= this.#timeoutMs) return;
      this.#sessions.delete(session);
    }
  }

  /** Any command of a session shows that its client lives. Returns whether there is such a session. */
  touch(session: number, timeMs: number): boolean {
    const found = this.#sessions.get(session);
    if (found === undefined) return false;
    found.activeAt = timeMs;
    if (session === this.#latest) return true;
    this.#sessions.delete(session);
    this.#sessions.set(session, found);
    this.#latest = session;
    return true;
  }

  close(session: number): void {
    this.#sessions.delete(session);
  }

  /** Decides what is to be done with a segment that was chosen in `ballot`. */
  admit(segment: SequencedSegment, ballot: Ballot): Admission {
    const session = this.#sessions.get(segment.session);
    if (session === undefined) return { kind: "unknownSession" };
    const expected = session.last + 1;
    if (segment.firstSequence > expected) {
      const known = session.gap;
      const first = known?.expected !== expected || !sameBallot(known.ballot, ballot);
      session.gap = { ballot, expected };
      return { kind: "gap", expected, first };
    }
    return { kind: "apply", skip: Math.min(expected - segment.firstSequence, segment.count) };
  }

  /**
   * Keeps the results of what was applied now, and drops those that the client has: number by number, because
   * replicas are told the same commands in runs of different lengths.
   */
  record(segment: SequencedSegment, firstSequence: number, results: Results): void {
    const session = this.#sessions.get(segment.session);
    if (session === undefined) return;
    if (results.length > 0) {
      session.last = firstSequence + results.length - 1;
      session.stored.push({ firstSequence, results });
    }
    session.acknowledgedBelow = Math.max(session.acknowledgedBelow, segment.acknowledgedBelow);
    let drop = 0;
    for (const { firstSequence, results } of session.stored) {
      if (firstSequence + results.length > session.acknowledgedBelow) break;
      drop += 1;
    }
    if (drop > 0) session.stored.splice(0, drop);
  }

  /** The stored results within a range of sequence numbers, in runs of consecutive ones. */
  stored(session: number, firstSequence: number, count: number): readonly StoredResults[] {
    const found: StoredResults[] = [];
    const end = firstSequence + count;
    const { stored: runs = [], acknowledgedBelow = 0 } = this.#sessions.get(session) ?? {};
    const wanted = Math.max(firstSequence, acknowledgedBelow);
    for (let at = firstEndingAbove(runs, wanted); at < runs.length; at++) {
      const run = runs[at]!;
      if (run.firstSequence >= end) break;
      const from = Math.max(run.firstSequence, wanted);
      const to = Math.min(run.firstSequence + run.results.length, end);
      if (from >= to) continue;
      const results =
        to - from === run.results.length
          ? run.results
          : run.results.slice(from - run.firstSequence, to - run.firstSequence);
      found.push({ firstSequence: from, results });
    }
    return found;
  }
}

/** Position of the first run that ends above a sequence number. */
function firstEndingAbove(runs: readonly StoredResults[], sequence: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { firstSequence, results } = runs[middle]!;
    if (firstSequence + results.length > sequence) high = middle;
    else low = middle + 1;
  }
  return low;
}
