import { expect, test } from "vitest";
import { ChaosMachine, shards, type Totals } from "../../dist/chaos/machine.js";

const cell = { generation: 0, slot: 0 };

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

test("cells can be read, set, compared and incremented, and begin with 0", () => {
  const machine = new ChaosMachine();
  expect(machine.apply({ op: "get", ...cell })).toBe(0);
  expect(machine.apply({ op: "increment", ...cell })).toBe(1);
  expect(machine.apply({ op: "cas", ...cell, expected: 0, value: 9 })).toBe(false);
  expect(machine.apply({ op: "cas", ...cell, expected: 1, value: 9 })).toBe(true);
  expect(machine.query({ op: "get", ...cell })).toBe(9);
  expect(machine.apply({ op: "set", ...cell, value: 4 })).toBe(4);
  expect(machine.apply({ op: "get", ...cell })).toBe(4);
  expect(machine.query({ op: "get", generation: 1, slot: 0 })).toBe(0);
});

test("a snapshot comes in many chunks, and restores all of it over whatever was there", async () => {
  const machine = new ChaosMachine();
  for (let number = 0; number < 2 * shards; number++) {
    machine.apply({ op: "count", counter: number % 700, shard: number });
  }
  for (let generation = 0; generation < 40; generation++)
    machine.apply({ op: "increment", generation, slot: 1 });
  const chunks = [...machine.snapshot()];
  expect(chunks.length).toBeGreaterThan(20);
  const restored = new ChaosMachine();
  restored.apply({ op: "count", counter: 9999, shard: 1 });
  restored.apply({ op: "set", ...cell, value: 3 });
  await restored.restore(each(structuredClone(chunks)));
  expect([...restored.snapshot()]).toEqual(chunks);
  expect(restored.query({ op: "totals" })).toEqual(machine.query({ op: "totals" }));
  const { shardSum, applied } = restored.query({ op: "totals" }) as Totals;
  expect([shardSum, applied]).toEqual([2 * shards, 2 * shards + 40]);
});

test("the state stays bounded however many generations there were", () => {
  const machine = new ChaosMachine();
  const chunksAfter = (generations: number) => {
    for (let generation = 0; generation < generations; generation++) {
      machine.apply({ op: "set", generation, slot: 0, value: 1 });
    }
    return [...machine.snapshot()].length;
  };
  expect(chunksAfter(1000)).toBe(chunksAfter(2000));
  expect(machine.query({ op: "get", generation: 1999, slot: 0 })).toBe(1);
});
