import type { InstanceValue } from "./values.js";

interface ModelSession {
  open: boolean;
  last: number;
  /** By sequence number: the position at which the command was applied; `undefined` for a fill. */
  readonly results: Map<number, number | undefined>;
}

/** Exactly once and in order, written as plainly as possible: one instance at a time, nothing forgotten. */
export class SessionModel {
  readonly #sessions = new Map<number, ModelSession>();
  readonly #firstSequence: number;
  readonly #lastOfClient = new Map<number, number>();
  readonly #require: (holds: boolean, invariant: string) => void;
  /** Commands that took effect, in order. */
  readonly applied: number[] = [];

  constructor(firstSequence: number, require: (holds: boolean, invariant: string) => void) {
    this.#firstSequence = firstSequence;
    this.#require = require;
  }

  apply(instance: number, value: InstanceValue): void {
    if (value.kind === "open") {
      this.#sessions.set(instance, { open: true, last: this.#firstSequence - 1, results: new Map() });
    }
    const session = this.#sessions.get(value.session);
    if (session === undefined || !session.open) return;
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
    session.results.set(value.sequence, this.applied.length);
  }

  hasResult(session: number, sequence: number): boolean {
    return this.#sessions.get(session)?.results.has(sequence) ?? false;
  }

  resultOf(session: number, sequence: number): number | undefined {
    return this.#sessions.get(session)?.results.get(sequence);
  }
}
