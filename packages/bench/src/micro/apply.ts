import { type AcceptedEntry, Replica } from "@synod/core";
import { StateMachineEngine } from "@synod/runtime/internal";
import { KeyValueStore } from "@synod/runtime/kv";
import { ballot, batchOf, commands, commandsPerBatch, commandsPerSegment } from "./samples.js";
import { type MicroKind, mustBe, timed, unbounded } from "./task.js";

/** Sessions of the replica, of which each batch has commands of all. */
const sessions = 4;

function applyToStore(): MicroKind {
  return {
    id: "apply/kv",
    operation: "a set of the key-value store",
    operationsMax: unbounded,
    open: () => {
      const store = new KeyValueStore();
      const at = { instance: 0, timeMs: 0 };
      return {
        run(operations) {
          const tookMs = timed(() => {
            for (let left = operations; left > 0; left--) {
              at.instance++;
              store.apply(commands[left % commands.length]!, at);
            }
          });
          mustBe("keys of the store", [...store.snapshot()].length > 0, true);
          return tookMs;
        },
      };
    },
  };
}

/** Commands are decoded, found to be new in their session, and applied; the results are kept and sent. */
function applyToReplica(): MicroKind {
  return {
    id: "apply/replica",
    operation: `a command of a batch of ${commandsPerBatch}, decoded, told from duplicates, applied, answered`,
    operationsMax: 200 * commandsPerBatch,
    open: () => ({
      run(operations) {
        const replica = newReplica();
        const batches = Math.ceil(operations / commandsPerBatch);
        const entries = Array.from({ length: batches }, (_, number) => entryOf(number));
        let sent = 0;
        const tookMs = timed(() => {
          for (const entry of entries) {
            replica.apply(entry);
            sent += replica.takeReady().send.length;
          }
        });
        mustBe("commands applied", replica.appliedCommands, batches * commandsPerBatch);
        mustBe("responses", sent, batches * sessions);
        // Whole batches: what was asked for is a part of them.
        return (tookMs * operations) / (batches * commandsPerBatch);
      },
    }),
  };
}

/** A session's identity is the instance in which it was opened. */
function newReplica(): Replica {
  const host = new StateMachineEngine(new KeyValueStore(), () => 0);
  const replica = new Replica({ learner: 0, host, sessionTimeoutMs: 1e9 });
  const segments = Array.from({ length: sessions }, (_, client) => ({
    ...{ kind: "open" as const, client, count: 1 as const, answerer: 0 },
  }));
  replica.apply({
    ...{ ballot, firstInstance: 0, count: sessions, source: null },
    batch: { timeMs: 0, count: sessions, segments },
  });
  replica.takeReady();
  return replica;
}

function entryOf(number: number): AcceptedEntry {
  const firstInstance = sessions + number * sessions * commandsPerSegment;
  return { ballot, firstInstance, count: commandsPerBatch, batch: batchOf(number, sessions), source: null };
}

export const applyKinds: readonly MicroKind[] = [applyToStore(), applyToReplica()];
