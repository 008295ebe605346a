import { type Address, ApplyFailure, actorAddress, type Envelope, type Result } from "@synod/core";
import { SynodError } from "./errors.js";

interface PendingQuery {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly appliedBelow: number;
  readonly deadline: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly forgetSignal: () => void;
  learner: number;
  sentAt: number;
}

/** Queries of one client that are not answered yet; each is asked of another learner when the first is silent. */
export class PendingQueries {
  readonly #learners: number;
  readonly #askAgainMs: number;
  readonly #pending = new Map<number, PendingQuery>();
  #nextId = 1;

  constructor(learners: number, askAgainMs: number) {
    this.#learners = learners;
    this.#askAgainMs = askAgainMs;
  }

  get open(): number {
    return this.#pending.size;
  }

  /** When {@link tick} wants to be called. */
  get deadline(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { deadline, sentAt } of this.#pending.values()) {
      earliest = Math.min(earliest, deadline, sentAt + this.#askAgainMs);
    }
    return earliest;
  }

  add(
    bytes: Uint8Array,
    appliedBelow: number,
    learner: Address,
    now: number,
    deadline: number,
    signal: AbortSignal | undefined,
  ): { readonly promise: Promise<unknown>; readonly envelope: Envelope } {
    const id = this.#nextId++;
    const promise = new Promise<unknown>((resolve, reject) => {
      const onAbort = () => {
        const details = { outcome: "not-applied", cause: signal?.reason } as const;
        this.#settle(id)?.reject(new SynodError("ABORTED", "the caller's signal ended a query", details));
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#pending.set(id, {
        id,
        bytes,
        appliedBelow,
        deadline,
        resolve,
        reject,
        forgetSignal: () => signal?.removeEventListener("abort", onAbort),
        learner: Number(learner.slice("learner-".length)),
        sentAt: now,
      });
    });
    return { promise, envelope: envelopeOf(this.#pending.get(id) as PendingQuery) };
  }

  answered(id: number, result: Result): void {
    const query = this.#settle(id);
    if (query === undefined) return;
    if (result instanceof ApplyFailure) {
      query.reject(
        new SynodError("STATE_MACHINE_FAILED", `the state machine could not answer: ${result.reason}`),
      );
    } else query.resolve(result);
  }

  /** Passes deadlines; returns what is to be asked again. */
  tick(now: number, error: () => SynodError): Envelope[] {
    const again: Envelope[] = [];
    for (const query of this.#pending.values()) {
      if (query.deadline <= now) this.#settle(query.id)?.reject(error());
      else if (query.sentAt + this.#askAgainMs <= now) {
        query.learner = (query.learner + 1) % this.#learners;
        query.sentAt = now;
        again.push(envelopeOf(query));
      }
    }
    return again;
  }

  rejectAll(error: SynodError): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(error);
  }

  #settle(id: number): PendingQuery | undefined {
    const query = this.#pending.get(id);
    this.#pending.delete(id);
    query?.forgetSignal();
    return query;
  }
}

function envelopeOf({ id, bytes, appliedBelow, learner }: PendingQuery): Envelope {
  return { to: [actorAddress("learner", learner)], message: { type: "query", id, appliedBelow, bytes } };
}
