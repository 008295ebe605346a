import { expect, test } from "vitest";
import { type Generations, HistoryCheck } from "../../dist/chaos/history-check.js";
import { createJournal, JournalReader, type JournalRecord, JournalWriter } from "../../dist/chaos/journal.js";

const generations: Generations = { originMs: 0, durationMs: 100 };

/** A check, and what it found. */
function open() {
  const violations: string[] = [];
  const check = new HistoryCheck(generations, text => violations.push(text));
  let numbers = 0;
  const call = (client: number, atMs: number, input: { kind: "get" } | { kind: "set"; value: number }) => {
    const number = ++numbers;
    const generation = Math.floor(atMs / 100);
    check.record(client, { kind: "call", number, atMs, generation, slot: 0, input });
    return number;
  };
  const end = (client: number, number: number, atMs: number, output: number) =>
    check.record(client, { kind: "return", number, atMs, output });
  const pass = (client: number, atMs: number) =>
    check.record(client, { kind: "probe", calledAtMs: atMs, returnedAtMs: atMs });
  return { check, violations, call, end, pass };
}

test("a journal gives back what was noted, in order and once, also from memory that its writer has left", () => {
  const memory = createJournal(16);
  const writer = new JournalWriter(memory);
  const first = writer.call(1.5, 3, 1, { kind: "cas", expected: 2 ** 40, value: 2 ** 50 });
  const second = writer.call(2.5, 3, 2, { kind: "set", value: 9 });
  writer.returned(first, 3.5, true);
  writer.failed(second, 4.5, "unknown");
  writer.probe(5.5, 6.5);
  const expected: JournalRecord[] = [
    {
      ...{ kind: "call", number: 1, atMs: 1.5, generation: 3, slot: 1 },
      input: { kind: "cas", expected: 2 ** 40, value: 2 ** 50 },
    },
    { kind: "call", number: 2, atMs: 2.5, generation: 3, slot: 2, input: { kind: "set", value: 9 } },
    { kind: "return", number: 1, atMs: 3.5, output: true },
    { kind: "failure", number: 2, atMs: 4.5, outcome: "unknown" },
    { kind: "probe", calledAtMs: 5.5, returnedAtMs: 6.5 },
  ];
  const reader = new JournalReader(memory);
  expect([...reader.take()]).toEqual(expected);
  expect([...reader.take()]).toEqual([]);
});

test("a journal keeps room for the end of every call, and wraps", () => {
  const memory = createJournal(8);
  const writer = new JournalWriter(memory);
  const reader = new JournalReader(memory);
  for (let round = 0; round < 20; round++) {
    const numbers: number[] = [];
    while (writer.hasRoom) numbers.push(writer.call(round, 0, 0, { kind: "increment" }));
    expect(numbers).toHaveLength(4);
    writer.probe(0, 0);
    for (const number of numbers) writer.returned(number, round, number);
    const records = [...reader.take()];
    expect(records).toHaveLength(8);
    expect(records.at(-1)).toEqual({
      kind: "return",
      number: numbers.at(-1),
      atMs: round,
      output: numbers.at(-1),
    });
  }
});

test("a history is checked when no client can add to it, and then forgotten", () => {
  const { check, call, end, pass } = open();
  check.add(1, 0);
  check.add(2, 0);
  const slow = call(1, 50, { kind: "set", value: 7 });
  const quick = call(2, 60, { kind: "get" });
  end(2, quick, 70, 7);
  pass(2, 250);
  check.check();
  expect(check.counts.histories).toBe(0);
  end(1, slow, 240, 7);
  check.check();
  expect(check.counts).toMatchObject({ histories: 1, operations: 2, notLinearizable: 0 });
});

test("a client whose clock is not past a generation holds it open, until it ends", () => {
  const { check, call, end } = open();
  check.add(1, 0);
  check.add(2, 0);
  end(1, call(1, 50, { kind: "set", value: 7 }), 60, 7);
  end(1, call(1, 150, { kind: "get" }), 160, 0);
  check.check();
  expect(check.counts.histories).toBe(0);
  check.ended(2);
  check.check();
  expect(check.counts.histories).toBe(1);
});

test("what a killed client had under way may have taken effect, or not", () => {
  for (const seen of [0, 7]) {
    const { check, violations, call, end } = open();
    check.add(1, 0);
    check.add(2, 0);
    call(1, 10, { kind: "set", value: 7 });
    check.ended(1);
    end(2, call(2, 50, { kind: "get" }), 60, seen);
    check.check(true);
    expect(violations).toEqual([]);
    expect(check.counts).toMatchObject({ operations: 2, unanswered: 1, histories: 1 });
  }
});

test("a stale read is found, and so is an effect of what was said not to be applied", () => {
  const stale = open();
  stale.check.add(1, 0);
  stale.end(1, stale.call(1, 10, { kind: "set", value: 7 }), 20, 7);
  stale.end(1, stale.call(1, 30, { kind: "get" }), 40, 0);
  stale.check.check(true);
  expect(stale.violations.join()).toMatch(/^cell 0\/0 is not linearizable:/);
  expect(stale.check.counts.notLinearizable).toBe(1);

  const denied = open();
  denied.check.add(1, 0);
  const number = denied.call(1, 10, { kind: "set", value: 7 });
  denied.check.record(1, { kind: "failure", number, atMs: 20, outcome: "not-applied" });
  denied.end(1, denied.call(1, 30, { kind: "get" }), 40, 7);
  denied.check.check(true);
  expect(denied.check.counts.notLinearizable).toBe(1);
});
