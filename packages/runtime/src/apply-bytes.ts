import type { ApplyFailure, Result, Results } from "@synod/core";
import { failure, isThenable, promiseFailure } from "./apply-failure.js";
import { BatchCursor, type BatchSpec } from "./batch-cursor.js";
import { NoResults } from "./result-codec.js";
import type { BytesStateMachine } from "./state-machine.js";

/** Of a state machine what concerns bytes. */
export type BatchMachine = Partial<Pick<BytesStateMachine, "applyBatch" | "batchResults">>;

/** Why commands have failed: the one at which the machine stopped, or all that it went through. */
interface Failed {
  readonly reason: ApplyFailure;
  readonly isOfAll: boolean;
}

/**
 * Runs a batch on a state machine. What fails is a command, never a batch: replicas get the same commands in batches of
 * different lengths. So the machine is called again for those behind the one that it threw at.
 */
export function applyBytes(machine: BatchMachine, spec: BatchSpec): Results {
  const hasResults = machine.batchResults !== "none";
  const batch = new BatchCursor(spec, hasResults);
  const failures = new Map<number, ApplyFailure>();
  while (batch.index + 1 < batch.count) {
    const first = batch.index + 1;
    const failed = applyOnce(machine, batch);
    if (failed === undefined) continue;
    if (batch.index < first) batch.next();
    // Of what has not finished when it returns, nobody knows what it has done.
    for (let index = failed.isOfAll ? first : batch.index; index <= batch.index; index++) {
      failures.set(index, failed.reason);
    }
  }
  if (failures.size === 0) return hasResults ? batch.results : new NoResults(batch.count);
  const results: Result[] = hasResults ? Array.from(batch.results) : new Array(batch.count).fill(undefined);
  for (const [index, reason] of failures) results[index] = reason;
  return results;
}

function applyOnce(machine: BatchMachine, batch: BatchCursor): Failed | undefined {
  const before = batch.index;
  try {
    if (machine.applyBatch === undefined) throw new TypeError("the state machine has no method applyBatch()");
    const returned: unknown = machine.applyBatch(batch);
    if (isThenable(returned)) {
      return { reason: promiseFailure(returned, "what applyBatch() returned"), isOfAll: true };
    }
    if (batch.index === before) throw new TypeError("applyBatch() did not call next()");
    return undefined;
  } catch (cause) {
    return { reason: failure(cause), isOfAll: false };
  }
}
