import type { ReplicaState, SessionState } from "@synod/core";
import { valueCodec } from "../command-codec.js";
import { decodeResults, type EncodedResults, encodeResults } from "../result-codec.js";

/*
 * A snapshot is a row of chunks: first the replica's own state, then one chunk for each session, then what the state
 * machine gave out.
 */
const version = 1;

/** The chunks of a replica's own state, in the order in which {@link readReplicaState} takes them. */
export function* replicaChunks(state: ReplicaState): Generator<Uint8Array> {
  const { appliedBelow, appliedCommands, timeMs, sessions, samples } = state;
  yield valueCodec.encode([version, appliedBelow, appliedCommands, timeMs, samples, sessions.length]);
  for (const session of sessions) {
    const stored = session.stored.map(({ firstSequence, results }) => [
      firstSequence,
      encodeResults(results),
    ]);
    yield valueCodec.encode({ ...session, stored });
  }
}

/**
 * Takes the first chunks of a snapshot; awaits `pause` after each. Rejects with a TypeError when they are not what this
 * version writes.
 */
export async function readReplicaState(
  chunks: Iterator<Uint8Array>,
  pause: () => Promise<void> | undefined,
): Promise<ReplicaState> {
  const next = (): unknown => {
    const { value, done } = chunks.next();
    if (done) throw new TypeError("a snapshot ends before its sessions do");
    return valueCodec.decode(value);
  };
  const head = next();
  if (!Array.isArray(head) || head[0] !== version) {
    throw new TypeError(`a snapshot begins with ${JSON.stringify(head)}, not with version ${version}`);
  }
  const [, appliedBelow, appliedCommands, timeMs, samples, count] = head;
  const sessions: SessionState[] = [];
  while (sessions.length < (count as number)) {
    sessions.push(sessionOf(next()));
    await pause();
  }
  return { appliedBelow, appliedCommands, timeMs, samples, sessions };
}

type StoredFields = [firstSequence: number, encoded: EncodedResults];

function sessionOf(value: unknown): SessionState {
  const session = value as SessionState & { readonly stored: readonly unknown[] };
  const stored = session.stored.map(entry => {
    const [firstSequence, { results, failures }] = entry as unknown as StoredFields;
    return { firstSequence, results: decodeResults(results, failures) };
  });
  return { ...session, stored };
}
