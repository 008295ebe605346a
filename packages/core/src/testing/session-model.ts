import type { InstanceValue } from "./values.js";

interface ModelSession {
  open: boolean;
  /** Logical time of its last command, in milliseconds. */
  activeAt: number;
  last: number;
  /** By sequence number: the position at which the command was applied; `undefined` for a fill. */
  readonly results: Map<number, number | undefined>;
}

/** Exactly once and in order, written as plainly as possible: one instance at a time, nothing forgotten. */
export class SessionModel {
  readonly #sessions = new Map<number, ModelSession>();
  readonly #firstSequence: number;
  readonly #timeoutMs: number;
  #timeMs = 0;
  readonly #lastOfClient = new Map<number, number>();
  readonly #require: (holds: boolean, invariant: string) => void;
  /** Commands that took effect, in order. */
  readonly applied: number[] = [];
  /** For each of them: where, and when by logical time. */
  readonly appliedAt: { readonly instance: number; readonly timeMs: number }[] = [];

  constructor(
    firstSequence: number,
    timeoutMs: number,
    require: (holds: boolean, invariant: string) => void,
  ) {
    this.#firstSequence = firstSequence;
    this.#timeoutMs = timeoutMs;
    this.#require = require;
  }

  apply(instance: number, value: InstanceValue): void {
    this.#timeMs = Math.max(this.#timeMs, value.timeMs);
    const activeAt = this.#timeMs;
    for (const session of this.#sessions.values()) {
      if (this.#timeMs - session.activeAt > this.#timeoutMs) session.open = false;
    }
    if (value.kind === "open") {
      const session = { open: true, activeAt, last: this.#firstSequence - 1, results: new Map() };
      this.#sessions.set(instance, session);
    }
    const session = this.#sessions.get(value.session);
    if (session === undefined || !session.open) return;
    session.activeAt = activeAt;
    if (value.kind === "close") session.open = false;
    if (value.kind !== "commands" && value.kind !== "fill") return;
    if (value.sequence !== session.last + 1) return;
    session.last = value.sequence;
    if (value.kind === "fill") {
      session.results.set(value.sequence, undefined);
      return;
    }
    const before = this.#lastOfClient.get(value.client) ?? -1;
    this.#require(value.command > before, "a client's commands take effect once and in its order");
    this.#lastOfClient.set(value.client, value.command);
    this.applied.push(value.command);
    this.appliedAt.push({ instance, timeMs: this.#timeMs });
    session.results.set(value.sequence, this.applied.length);
  }

  isOpen(session: number): boolean {
    return this.#sessions.get(session)?.open ?? false;
  }

  hasResult(session: number, sequence: number): boolean {
    return this.#sessions.get(session)?.results.has(sequence) ?? false;
  }

  resultOf(session: number, sequence: number): number | undefined {
    return this.#sessions.get(session)?.results.get(sequence);
  }
}
