import { type CommandSegment, Replica, type ResponseMessage } from "@synod/core";
import type { BytesStateMachine, Client, CommandBatch, StateMachine } from "@synod/runtime";
import {
  commandCodec,
  decodeFrame,
  encodeBytes,
  encodeFrame,
  StateMachineEngine,
} from "@synod/runtime/internal";
import { checkStateMachine, type Random, StateMachineCheckError } from "@synod/runtime/testing";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";

/** Sums by key: four bytes of key, then a byte that is added; 0 is refused. A good machine, which others break. */
class Sums implements BytesStateMachine<number, number, [number, number][]> {
  sums = new Map<number, number>();

  applyBatch(batch: CommandBatch): void {
    while (batch.next()) this.applyOne(batch);
  }

  applyOne({ view, bytes, start, end, results, index }: CommandBatch): void {
    const key = view.getUint32(start, true);
    const by = end - start > 4 ? bytes[start + 4]! : 1;
    if (by === 0) throw new RangeError(`nothing is added to ${key}`);
    const sum = (this.sums.get(key) ?? 0) + by;
    this.sums.set(key, sum);
    results[index] = sum;
  }

  query(key: number): number {
    return this.sums.get(key) ?? 0;
  }

  *snapshot(): Generator<[number, number][]> {
    yield [...this.sums];
  }

  async restore(chunks: AsyncIterable<[number, number][]>): Promise<void> {
    this.sums = new Map();
    for await (const chunk of chunks) for (const [key, sum] of chunk) this.sums.set(key, sum);
  }
}

const broken = {
  "returns numbers by batch": class extends Sums {
    override applyBatch(batch: CommandBatch): void {
      const first = this.sums.get(0) ?? 0;
      while (batch.next()) {
        this.applyOne(batch);
        batch.results[batch.index] = first;
      }
    }
  },
  "takes each key once per batch": class extends Sums {
    override applyBatch(batch: CommandBatch): void {
      const seen = new Set<number>();
      while (batch.next()) {
        const key = batch.view.getUint32(batch.start, true);
        if (!seen.has(key)) this.applyOne(batch);
        seen.add(key);
      }
    }
  },
  "throws when it is through": class extends Sums {
    override applyBatch(batch: CommandBatch): void {
      super.applyBatch(batch);
      if (batch.count > 1) throw new Error("enough");
    }
  },
};

const drawRecord = (random: Random): Uint8Array => {
  const record = Uint8Array.of(random.below(3), 0, 0, 0, random.below(4));
  return random.chance(0.2) ? record.subarray(0, 4) : record;
};
const check = (create: () => Sums, seed?: number) =>
  checkStateMachine({
    create,
    records: drawRecord,
    queries: [0, 1, 2],
    runs: 20,
    ...(seed === undefined ? {} : { seed }),
  });

describe("checkStateMachine", () => {
  test("passes a machine that takes commands one by one", () => check(() => new Sums()));

  test.each(Object.entries(broken))("finds one that %s", async (_, machine) => {
    for (const seed of [1, 2, 3]) {
      const error = await check(() => new machine(), seed).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(StateMachineCheckError);
      const failure = error as StateMachineCheckError;
      expect(failure.check, failure.message).toBe("batches may be cut anywhere");
      expect(failure.steps.length).toBeLessThanOrEqual(3);
      expect(failure.steps[0]?.command).toBeInstanceOf(Uint8Array);
    }
  });

  test("finds one that writes into its commands, and a list that holds no bytes", async () => {
    class Scribbles extends Sums {
      override applyOne(batch: CommandBatch): void {
        super.applyOne(batch);
        batch.bytes[batch.start] = 9;
      }
    }
    await expect(check(() => new Scribbles(), 1)).rejects.toMatchObject({
      check: "apply leaves its command alone",
    });
    const text = checkStateMachine({ create: () => new Sums(), records: ["text" as never] });
    await expect(text).rejects.toMatchObject({ check: "commands and queries survive the encoding" });
    await expect(checkStateMachine({ create: () => new Sums() })).rejects.toMatchObject({
      code: "INVALID_OPTIONS",
    });
  });
});

describe("on the way", () => {
  const commands = fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 40 });
  const segment = (bytes: Uint8Array, count: number, skip = 0): CommandSegment => ({
    kind: "commands",
    client: 1,
    session: 0,
    firstSequence: 1 + skip,
    count,
    skip,
    acknowledgedBelow: 0,
    answerer: 0,
    bytes,
  });
  /** Returns what each command begins and ends with, and keeps all of them. */
  class Keeps extends Sums {
    kept: number[][] = [];
    override applyOne(batch: CommandBatch): void {
      this.kept.push([...batch.bytes.subarray(batch.start, batch.end)]);
      batch.results[batch.index] = this.kept.length;
    }
  }

  test("any part of any commands is found again, whatever is passed over", () => {
    fc.assert(
      fc.property(commands, fc.nat(), fc.nat(), fc.boolean(), (list, a, b, isFixed) => {
        const records = isFixed ? list.map((_, index) => Uint8Array.of(index, 1, 2)) : list;
        const [from, to] = [a % records.length, 1 + (b % records.length)].sort(
          (one, other) => one - other,
        ) as [number, number];
        if (from === to) return;
        let end = 0;
        const offsets = records.map(record => {
          end += record.length;
          return end - record.length;
        });
        const layout = isFixed ? { recordBytes: 3 } : { offsets };
        const encoded = encodeBytes(Buffer.concat(records), layout, from, to);
        const skip = (a + b) % (to - from);
        const machine = new Keeps();
        const engine = new StateMachineEngine(machine);
        // It may lie anywhere in a frame.
        const frame = new Uint8Array(encoded.length + 3);
        frame.set(encoded, 3);
        const results = engine.apply(segment(frame.subarray(3), to - from - skip, skip), 0, 7, 0);
        expect(machine.kept).toEqual(records.slice(from + skip, to).map(record => [...record]));
        expect(results).toHaveLength(to - from - skip);
      }),
    );
  });

  test("commands as values never look like bytes", () => {
    const marker = encodeBytes(new Uint8Array(1), { recordBytes: 1 }, 0, 1)[0];
    for (const count of [0, 1, 15, 16, 65_535, 65_536]) {
      expect(commandCodec.encode(Array(count).fill({ a: 1 }))[0]).not.toBe(marker);
    }
  });

  test("duplicates are answered with the same numbers, also by what a snapshot was restored to", () => {
    const bytes = encodeBytes(
      Uint8Array.from({ length: 50 }, (_, index) => (index % 5 === 4 ? 2 : 0)),
      { recordBytes: 5 },
      0,
      10,
    );
    const options = { learner: 0, sessionTimeoutMs: 60_000 };
    const ballot = { round: 1, incarnation: 1, proposer: 0 };
    const apply = (replica: Replica, firstInstance: number, segments: readonly CommandSegment[]) => {
      const count = segments.reduce((sum, one) => sum + one.count, 0);
      replica.apply({ ballot, firstInstance, count, batch: { timeMs: 0, count, segments }, source: null });
      return replica
        .takeReady()
        .send.map(({ message }) => decodeFrame(encodeFrame(message)).message as ResponseMessage);
    };
    const replica = new Replica({ ...options, host: new StateMachineEngine(new Sums()) });
    replica.apply({
      ballot,
      firstInstance: 0,
      count: 1,
      batch: { timeMs: 0, count: 1, segments: [{ kind: "open", client: 1, count: 1, answerer: 0 }] },
      source: null,
    });
    replica.takeReady();
    const expected = Float64Array.from({ length: 10 }, (_, index) => 2 * (index + 1));
    const [first] = apply(replica, 1, [segment(bytes, 6)]);
    expect(first?.results).toEqual(expected.slice(0, 6));
    // Six that were applied before, and four new ones.
    const again = apply(replica, 7, [segment(bytes, 10)]);
    expect(again.map(({ firstSequence }) => firstSequence)).toEqual([1, 7]);
    expect(again[0]?.results).toEqual(expected.slice(0, 6));
    expect(again[1]?.results).toEqual(expected.slice(6));
    const restored = new Replica(
      { ...options, host: new StateMachineEngine(new Sums()) },
      replica.snapshot(),
    );
    const parts = apply(restored, 17, [segment(bytes, 5, 3)]);
    expect(parts.map(({ firstSequence }) => firstSequence)).toEqual([4, 7]);
    expect(parts.flatMap(({ results }) => Array.from(results))).toEqual([...expected.slice(3, 8)]);
  });
});

test("what does not fit the machine does not compile", () => {
  type Bytes = Client<Sums>;
  type Values = Client<StateMachine<{ key: string }, string>>;
  class Quiet extends Sums {
    readonly batchResults = "none";
  }
  const bytes = {} as Bytes;
  const values = {} as Values;
  expectTypeOf(bytes.proposeBytes).returns.resolves.toEqualTypeOf<Float64Array>();
  expectTypeOf(({} as Client<Quiet>).proposeBytes).returns.resolves.toEqualTypeOf<undefined>();
  expectTypeOf(values.proposeAll).returns.resolves.toEqualTypeOf<string[]>();
  expectTypeOf(values.proposeAll).parameter(0).toEqualTypeOf<readonly { key: string }[]>();
  () => {
    // @ts-expect-error the machine takes no bytes
    values.proposeBytes(new Uint8Array(), { recordBytes: 1 });
    // @ts-expect-error the machine takes nothing but bytes
    bytes.propose({ key: "a" });
    // @ts-expect-error where the commands begin is missing
    bytes.proposeBytes(new Uint8Array(), {});
    // @ts-expect-error one of the two
    bytes.proposeBytes(new Uint8Array(), { recordBytes: 1, offsets: [0] });
    // @ts-expect-error another command
    values.proposeAll([{ id: 1 }]);
  };
});
