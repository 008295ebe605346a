import type { ReplicaState } from "@synod/core";
import { monotonicMs } from "../clock.js";
import { valueCodec } from "../command-codec.js";
import { loadStateMachine, StateMachineEngine, type StateMachineSpec } from "../engine.js";
import { runtimeLimits } from "../limits.js";
import type { AnyStateMachine } from "../state-machine.js";
import { readReplicaState } from "./snapshot-codec.js";
import type { Snapshot } from "./snapshot-reader.js";

/** What came of a snapshot: a state machine of its own, and where the replica goes on. */
export interface Restored {
  readonly engine: StateMachineEngine;
  readonly state: ReplicaState;
}

/**
 * Restores a snapshot into a state machine that is made for it: if that fails, nothing is lost. Calls `onChunk` whenever
 * the state machine reads a chunk.
 *
 * Rejects with what the state machine throws, or when the snapshot was damaged or overwritten.
 */
export async function restoreSnapshot(
  snapshot: Snapshot,
  spec: StateMachineSpec,
  onChunk: () => void,
): Promise<Restored> {
  const machine = await loadStateMachine(spec);
  const state = await restoreInto(machine, snapshot, pauseEvery(runtimeLimits.eventLoopTurnMs), onChunk);
  return { engine: new StateMachineEngine(machine), state };
}

/**
 * Restores a snapshot into `machine`, and resolves with the replica's own state. Between two chunks it awaits `pause`,
 * which gives the event loop its turns.
 *
 * Rejects as {@link restoreSnapshot} does.
 */
export async function restoreInto(
  machine: AnyStateMachine,
  snapshot: Snapshot,
  pause: () => Promise<void> | undefined,
  onChunk: () => void = () => undefined,
): Promise<ReplicaState> {
  const chunks = snapshot.chunks()[Symbol.iterator]();
  const state = await readReplicaState(chunks, pause);
  await machine.restore(decoded(chunks, onChunk, pause));
  // Only the end shows that everything was read as it was written.
  while (!chunks.next().done) await pause();
  return state;
}

/** Does not close `chunks` when the state machine stops early. */
async function* decoded(
  chunks: Iterator<Uint8Array>,
  onChunk: () => void,
  pause: () => Promise<void> | undefined,
): AsyncGenerator<unknown> {
  for (let next = chunks.next(); !next.done; next = chunks.next()) {
    onChunk();
    yield valueCodec.decode(next.value);
    await pause();
  }
}

/** Gives the event loop a turn if it has had none for so long; undefined when it is not due. */
function pauseEvery(sliceMs: number): () => Promise<void> | undefined {
  let dueAt = monotonicMs() + sliceMs;
  return () => {
    if (monotonicMs() < dueAt) return undefined;
    return new Promise(resolve => {
      setImmediate(() => {
        dueAt = monotonicMs() + sliceMs;
        resolve();
      });
    });
  };
}
