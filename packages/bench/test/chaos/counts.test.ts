import { expect, test } from "vitest";
import { checkCounts } from "../../dist/chaos/count-check.js";
import { createLedger, Ledger } from "../../dist/chaos/ledger.js";
import { OrderCheck } from "../../dist/chaos/order-check.js";

type How = number | "unknown" | "not-applied";

/** What is wrong with a session whose calls settle like this, in the order in which they were made. */
function wrongIn(...settled: How[]): (string | undefined)[] {
  const order = new OrderCheck();
  const numbers = settled.map(() => order.called());
  return settled
    .map((how, index) => order.settled(numbers[index]!, how))
    .filter(wrong => wrong !== undefined);
}

test("a session's increments return one number after the other", () => {
  expect(wrongIn(1, 2, 3)).toEqual([]);
  expect(wrongIn(1, 3)).toEqual(["increment 2 of a session returned 3; it must be 2"]);
  expect(wrongIn(1, 1)).toEqual(["increment 2 of a session returned 1; it must be 2"]);
  expect(wrongIn(2)).toHaveLength(1);
});

test("what is wrong is told once, and later ones are compared with it", () => {
  expect(wrongIn(1, 3, 4, 5)).toHaveLength(1);
  expect(wrongIn(1, 3, 4, 6)).toHaveLength(2);
});

test("an unknown outcome counts or does not, and is known afterwards", () => {
  expect(wrongIn(1, "unknown", 3, 4)).toEqual([]);
  expect(wrongIn(1, "unknown", 2, 3)).toEqual([]);
  expect(wrongIn(1, "unknown", 4)).toHaveLength(1);
  expect(wrongIn(1, "unknown", 1)).toHaveLength(1);
  expect(wrongIn(1, "unknown", 2, 4)).toHaveLength(1);
});

test("what was not applied does not count", () => {
  expect(wrongIn(1, "not-applied", 2)).toEqual([]);
  expect(wrongIn(1, "not-applied", 3)).toHaveLength(1);
});

test("calls may settle in any order", () => {
  const order = new OrderCheck();
  const [first, second, third] = [order.called(), order.called(), order.called()];
  expect(order.settled(third, 2)).toBeUndefined();
  expect(order.settled(second, "not-applied")).toBeUndefined();
  expect(order.open).toBe(1);
  expect(order.settled(first, 1)).toBeUndefined();
  expect(order.open).toBe(0);
  const reversed = new OrderCheck();
  const [a, b] = [reversed.called(), reversed.called()];
  expect(reversed.settled(b, 1)).toBeUndefined();
  expect(reversed.settled(a, 2)).toMatch(/increment 1 .* returned 2/);
});

test("a ledger counts in memory that others read, and by time", () => {
  const memory = createLedger(1);
  const ledger = new Ledger(memory, 1000);
  for (let count = 0; count < 4; count++) ledger.called();
  ledger.acknowledged(2, 1050);
  ledger.acknowledged(1, 1150);
  ledger.acknowledged(3, 99_000);
  ledger.failed("unknown");
  const other = new Ledger(memory, 1000);
  expect(other.read()).toEqual({ called: 4, acknowledged: 3, notApplied: 0, unknown: 1, highest: 3 });
  expect([...other.buckets]).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test("a counter holds what was acknowledged, and at most what is unknown besides", () => {
  const counts = { called: 10, acknowledged: 6, notApplied: 1, unknown: 2, highest: 6 };
  const of = (value: number) =>
    checkCounts({ counters: [[1, value]], shardSum: value, applied: value }, new Map([[1, counts]]));
  for (const value of [6, 7, 8, 9]) {
    expect(of(value)).toMatchObject({ lost: 0, duplicated: 0, unknown: 3, violations: [] });
  }
  expect(of(5)).toMatchObject({ lost: 1, duplicated: 0 });
  expect(of(5).violations).toHaveLength(1);
  expect(of(11)).toMatchObject({ lost: 0, duplicated: 2 });
  expect(of(11).violations).toHaveLength(1);
});

test("a counter that nobody has, one that is missing, and shards that do not add up are found", () => {
  const counts = { called: 1, acknowledged: 1, notApplied: 0, unknown: 0, highest: 1 };
  const clients = new Map([[1, counts]]);
  const totals = (counters: [number, number][], shardSum: number) => ({ counters, shardSum, applied: 0 });
  expect(checkCounts(totals([[1, 1]], 1), clients).violations).toEqual([]);
  expect(checkCounts(totals([], 0), clients)).toMatchObject({ lost: 1, violations: [expect.any(String)] });
  const foreign: [number, number][] = [
    [1, 1],
    [2, 5],
  ];
  expect(checkCounts(totals(foreign, 6), clients).violations).toEqual([
    "counter 2 is 5, and there is no such client",
  ]);
  expect(checkCounts(totals([[1, 1]], 2), clients).violations).toHaveLength(1);
});
