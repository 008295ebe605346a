import type { AppliedAt, QueriedAt } from "@synod/runtime";
import {
  type KeyValueChunk,
  type KeyValueCommand,
  type KeyValueQuery,
  KeyValueStore,
} from "@synod/runtime/kv";
import { addIdentity } from "./identity-sum.js";

/** What a learner can say about the commands it has applied. */
export interface Audit {
  readonly count: number;
  /** Sum of the commands' identities: see identity-sum.ts. */
  readonly sum: number;
  /** Commands whose identity is not above all earlier ones: applied twice, or out of order. */
  readonly repeated: number;
  /** Identities that were passed over. */
  readonly skipped: number;
}

interface AuditQuery {
  readonly op: "audit";
}

/** Counts commands whose identities are 1, 2, 3 and so on, in the order in which one client proposed them. */
export class AuditCounters {
  #count = 0;
  #sum = 0;
  #last = 0;
  #repeated = 0;
  #skipped = 0;

  applied(identity: number): void {
    this.#count++;
    this.#sum = addIdentity(this.#sum, identity);
    if (identity <= this.#last) {
      this.#repeated++;
      return;
    }
    this.#skipped += identity - this.#last - 1;
    this.#last = identity;
  }

  read(): Audit {
    return { count: this.#count, sum: this.#sum, repeated: this.#repeated, skipped: this.#skipped };
  }
}

/**
 * The key-value store of the benchmark: it also checks, in constant memory, that every `set` is applied exactly
 * once and in order. Its counters are part of the snapshot, so learners that agree on it agree on them.
 */
export default class VerifyingStore extends KeyValueStore {
  static override readonly moduleUrl: string = import.meta.url;
  readonly #counters = new AuditCounters();

  override apply(command: KeyValueCommand, at: AppliedAt): number {
    if (command.op === "set" && typeof command.value === "number") this.#counters.applied(command.value);
    return super.apply(command, at);
  }

  override query(query: KeyValueQuery | AuditQuery, at?: QueriedAt): unknown {
    return query.op === "audit" ? this.#counters.read() : super.query(query, at);
  }

  override *snapshot(): Generator<KeyValueChunk> {
    yield [["audit", { ...this.#counters.read() }, 0]];
    yield* super.snapshot();
  }
}

export { VerifyingStore };
