import { type AcceptedEntry, type AcceptorRecord, batchBytes, limits } from "@synod/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AcceptorStorage } from "../../dist/storage/index.js";
import { stateAfter } from "./checks.js";
import { RecordSource } from "./record-source.mjs";

interface Subject {
  /** Makes the storage of an acceptor that never lived, and returns what opens it for one life after the other. */
  readonly create: (bytesMax: number) => () => AcceptorStorage;
  /** Does the next life find what the one before persisted? */
  readonly survives: boolean;
  readonly firstInstance?: number;
}

const ballot = { round: 3, incarnation: 1, proposer: 0 };

function entryOf(firstInstance: number, payloadBytes: number): AcceptedEntry {
  const who = { client: 1, session: 1, acknowledgedBelow: 1, answerer: 0, skip: 0 };
  const bytes = new Uint8Array(payloadBytes).fill(firstInstance);
  const segment = { kind: "commands" as const, ...who, firstSequence: firstInstance, count: 1, bytes };
  return {
    ballot,
    firstInstance,
    count: 1,
    batch: { timeMs: 1, count: 1, segments: [segment] },
    source: null,
  };
}

/** As core weighs an entry that it asks room for. */
function weightOf({ batch }: AcceptedEntry): number {
  return batchBytes(batch) + limits.entryOverheadBytes * (1 + batch.segments.length);
}

const accept = (entry: AcceptedEntry): AcceptorRecord => ({ kind: "accept", entry, leaseUntil: 5.5 });

/** What every storage of an acceptor does. */
export function storageContract(name: string, { create, survives, firstInstance = 0 }: Subject): void {
  describe(name, () => {
    it("has nothing for an acceptor that never lived", () => {
      const open = create(65_536);
      expect(open().recover()).toBeUndefined();
      expect(open().recover()).toBeUndefined();
    });

    it("gives the next life what core makes of the records, whatever they are and wherever a life ends", () => {
      const chance = fc.infiniteStream(fc.nat(2 ** 32 - 1));
      const lives = fc.array(fc.nat(12), { minLength: 1, maxLength: 8 });
      const property = fc.property(chance, lives, (stream, callsOfLives) => {
        const open = create(2 ** 20);
        const random = (end: number) => (stream.next().value as number) % end;
        let state: ReturnType<AcceptorStorage["recover"]>;
        for (const calls of callsOfLives) {
          const storage = open();
          expect(storage.recover()).toEqual(state);
          const source = new RecordSource(random, state, firstInstance);
          let next = state;
          for (let call = 0; call < calls; call++) {
            const records = source.next();
            storage.persist(records);
            next = stateAfter(next, records);
          }
          if (survives) state = next;
        }
        expect(open().recover()).toEqual(state);
      });
      const seed = process.env.SYNOD_SEED;
      fc.assert(property, { numRuns: 100, ...(seed === undefined ? {} : { seed: Number(seed) }) });
    });

    it("refuses entries when it is full, has room for all else, and takes entries again after a trim", () => {
      const open = create(16_384);
      const storage = open();
      storage.recover();
      let instance = firstInstance;
      for (; storage.hasRoom(weightOf(entryOf(instance, 700))); instance++) {
        storage.persist([accept(entryOf(instance, 700))]);
        expect(storage.usage.bytes).toBeLessThanOrEqual(storage.usage.bytesMax);
      }
      expect(instance - firstInstance).toBeGreaterThan(10);
      const raised = { ...ballot, round: 9 };
      storage.persist([
        { kind: "promise", ballot: raised },
        { kind: "lease", ballot: raised, leaseUntil: 77.25 },
      ]);
      const before = storage.usage.bytes;
      storage.persist([{ kind: "trim", below: instance - 2 }]);
      expect(storage.usage.bytes).toBeLessThan(before);
      expect(storage.hasRoom(weightOf(entryOf(instance, 700)))).toBe(true);
      storage.persist([accept({ ...entryOf(instance, 700), ballot: raised })]);
      const kept = open().recover();
      expect(kept?.promised).toEqual(survives ? raised : undefined);
      const instances = survives ? [instance - 2, instance - 1, instance] : undefined;
      expect(kept?.accepted.map(entry => entry.firstInstance)).toEqual(instances);
    });

    it("takes all records of a call or none", () => {
      const open = create(16_384);
      const storage = open();
      storage.recover();
      storage.persist([{ kind: "promise", ballot }]);
      const { bytes } = storage.usage;
      const tooMuch = [accept(entryOf(firstInstance, 9000)), accept(entryOf(firstInstance + 1, 9000))];
      const raised: AcceptorRecord = { kind: "promise", ballot: { ...ballot, round: 9 } };
      expect(() => storage.persist([raised, ...tooMuch])).toThrow(
        expect.objectContaining({ code: "STORAGE_FAILED", message: expect.stringContaining("no room") }),
      );
      expect(storage.usage.bytes).toBe(bytes);
      const kept = open().recover();
      expect(kept?.promised).toEqual(survives ? ballot : undefined);
      expect(kept?.accepted).toEqual(survives ? [] : undefined);
    });

    it("has room for what it says it has room for", () => {
      for (let payloadBytes = 0; payloadBytes < 20_000; payloadBytes += 97) {
        const storage = create(16_384)();
        storage.recover();
        const entry = entryOf(firstInstance, payloadBytes);
        if (storage.hasRoom(weightOf(entry))) storage.persist([accept(entry)]);
        else expect(payloadBytes).toBeGreaterThan(7000);
      }
    });
  });
}
