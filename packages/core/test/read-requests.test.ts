import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReadRequests } from "../dist/read-requests.js";

const said = { ballot: { round: 1, incarnation: 1, proposer: 0 }, storageFull: false };

const idsOf = (answers: ReturnType<ReadRequests["answerAll"]>) =>
  answers.map(({ message }) => (message.type === "readReady" ? message.id : -1));

describe("ReadRequests", () => {
  it("are answered by a round that was sent after they came", () => {
    const reads = new ReadRequests();
    reads.add("client-1", 1, 10);
    expect(reads.wantsRound).toBe(true);
    expect(reads.answered(7, said)).toEqual([]);
    reads.roundSent(8);
    reads.add("client-2", 1, 11);
    expect(reads.answered(8, said)).toEqual([
      { to: ["client-1"], message: { type: "readReady", id: 1, readBelow: 10, ...said } },
    ]);
    expect(reads.wantsRound).toBe(true);
    reads.roundSent(9);
    expect([reads.wantsRound, reads.length]).toEqual([false, 1]);
    expect(reads.answered(8, said)).toEqual([]);
    expect(idsOf(reads.answered(10, said))).toEqual([1]);
  });

  it("keep one probe of each client", () => {
    const reads = new ReadRequests();
    reads.add("client-1", 0, 10);
    reads.roundSent(1);
    expect([
      reads.add("client-1", 0, 11),
      reads.add("client-2", 0, 11),
      reads.add("client-1", 3, 11),
    ]).toEqual([true, true, true]);
    expect(reads.length).toBe(3);
    expect(idsOf(reads.answered(1, said))).toEqual([0]);
    expect(reads.length).toBe(2);
  });

  it("join the next round that is sent, whatever happens in between", () => {
    const step = fc.oneof(
      fc.constant("add" as const),
      fc.constant("send" as const),
      fc.nat(6).map(behind => ({ behind })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: "max" }), steps => {
        const reads = new ReadRequests();
        let waiting: { id: number; joins: number }[] = [];
        let round = 0;
        steps.forEach((what, id) => {
          if (what === "add") {
            reads.add("client-1", id, 0);
            waiting.push({ id, joins: round + 1 });
          } else if (what === "send") reads.roundSent(++round);
          else {
            const answered = round - what.behind;
            const ready = waiting.filter(({ joins }) => joins <= answered).map(({ id }) => id);
            waiting = waiting.filter(({ joins }) => joins > answered);
            expect(idsOf(reads.answered(answered, said))).toEqual(ready);
          }
          expect(reads.length).toBe(waiting.length);
          expect(reads.wantsRound).toBe(waiting.some(({ joins }) => joins > round));
        });
        expect(idsOf(reads.answerAll(said))).toEqual(waiting.map(({ id }) => id));
        expect(reads.length).toBe(0);
      }),
    );
  });

  it("name each client once when they must be asked elsewhere", () => {
    const reads = new ReadRequests();
    for (const client of ["client-1", "client-2", "client-1"]) reads.add(client, 3, 0);
    expect(reads.clear()).toEqual(new Set(["client-1", "client-2"]));
    expect(reads.length).toBe(0);
  });
});
