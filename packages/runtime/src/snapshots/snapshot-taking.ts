import type { ReplicaState } from "@synod/core";
import { monotonicMs } from "../clock.js";
import type { StateMachineEngine } from "../engine.js";
import { replicaChunks } from "./snapshot-codec.js";
import type { SnapshotWriter } from "./snapshot-writer.js";

/**
 * Writes a snapshot into memory that outlives this thread, a few chunks at a time, so that the learner goes on reading
 * its mail. Neither replica nor state machine may change until it is done.
 */
export class SnapshotTaking {
  readonly #writer: SnapshotWriter;
  readonly #state: ReplicaState;
  readonly #chunks: Generator<Uint8Array>;
  #bytes = 0;

  /** Begins to overwrite what the writer published the time before last. */
  constructor(writer: SnapshotWriter, state: ReplicaState, engine: StateMachineEngine) {
    this.#writer = writer;
    this.#state = state;
    this.#chunks = allChunks(state, engine);
    writer.begin();
  }

  /** Of all chunks, once it is published. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The first instance that is not part of it. */
  get instance(): number {
    return this.#state.appliedBelow;
  }

  /**
   * Goes on until `untilMs` of the clock, a chunk at least; true when the snapshot is published.
   *
   * @throws whatever the state machine throws, and SynodError `NOT_SERIALIZABLE`, or when the memory is full; it is
   * given up then
   */
  step(untilMs: number): boolean {
    try {
      do {
        const { value, done } = this.#chunks.next();
        if (done) {
          const { appliedBelow, appliedCommands } = this.#state;
          this.#bytes = this.#writer.publish({ instance: appliedBelow, commands: appliedCommands }).bytes;
          return true;
        }
        this.#writer.write(value);
      } while (monotonicMs() < untilMs);
      return false;
    } catch (error) {
      this.#writer.abandon();
      this.#close();
      throw error;
    }
  }

  /** Lets the state machine clean up when it was not its own failure. */
  #close(): void {
    try {
      this.#chunks.return(undefined);
    } catch {
      // The first failure is told.
    }
  }
}

function* allChunks(state: ReplicaState, engine: StateMachineEngine): Generator<Uint8Array> {
  yield* replicaChunks(state);
  yield* engine.snapshotChunks();
}
