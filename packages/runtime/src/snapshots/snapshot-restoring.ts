import type { ReplicaState } from "@synod/core";
import { monotonicMs } from "../clock.js";
import { valueCodec } from "../command-codec.js";
import { loadStateMachine, StateMachineEngine, type StateMachineSpec } from "../engine.js";
import { runtimeLimits } from "../options.js";
import { readReplicaState } from "./snapshot-codec.js";
import type { Snapshot } from "./snapshot-reader.js";

/** What came of a snapshot: a state machine of its own, and where the replica goes on. */
export interface Restored {
  readonly engine: StateMachineEngine;
  readonly state: ReplicaState;
}

/**
 * Restores a snapshot into a state machine that is made for it: if that fails, nothing is lost. Between chunks the
 * event loop has its turns, so that the learner reads its mail meanwhile. Calls `onChunk` whenever the state machine
 * reads one.
 *
 * Rejects with what the state machine throws, or when the snapshot was damaged or overwritten.
 */
export async function restoreSnapshot(
  snapshot: Snapshot,
  spec: StateMachineSpec,
  onChunk: () => void,
): Promise<Restored> {
  const chunks = snapshot.chunks()[Symbol.iterator]();
  const state = readReplicaState(chunks);
  const machine = await loadStateMachine(spec);
  await machine.restore(decoded(chunks, onChunk));
  // Only the end shows that everything was read as it was written.
  while (!chunks.next().done);
  return { engine: new StateMachineEngine(machine), state };
}

/** Does not close `chunks` when the state machine stops early. */
async function* decoded(chunks: Iterator<Uint8Array>, onChunk: () => void): AsyncGenerator<unknown> {
  let turnAt = monotonicMs() + runtimeLimits.eventLoopTurnMs;
  for (let next = chunks.next(); !next.done; next = chunks.next()) {
    onChunk();
    yield valueCodec.decode(next.value);
    if (monotonicMs() < turnAt) continue;
    await new Promise(resolve => setImmediate(resolve));
    turnAt = monotonicMs() + runtimeLimits.eventLoopTurnMs;
  }
}
