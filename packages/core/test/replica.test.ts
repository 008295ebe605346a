import {
  type AcceptedEntry,
  type Batch,
  type Message,
  Replica,
  type Segment,
  type StateMachineHost,
  sliceBatch,
} from "@synod/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ballotOf, commandSegment, entryOf } from "./support.js";

const sessionTimeoutMs = 100;

interface Applied {
  readonly instance: number;
  readonly session: number;
  readonly sequence: number;
  readonly timeMs: number;
}

/** A replica that writes down what it applies and answers. */
class Tested {
  readonly applied: Applied[] = [];
  readonly answers: Message[] = [];
  readonly asked: { readonly instance: number; readonly timeMs: number }[] = [];
  readonly replica: Replica;

  constructor() {
    const host: StateMachineHost = {
      apply: ({ session, firstSequence, count }, skip, firstInstance, timeMs) =>
        Array.from({ length: count - skip }, (_, at) => {
          const sequence = firstSequence + skip + at;
          this.applied.push({ instance: firstInstance + at, session, sequence, timeMs });
          return `${session}:${sequence}`;
        }),
      query: (_bytes, instance, timeMs) => {
        this.asked.push({ instance, timeMs });
        return "answer";
      },
    };
    this.replica = new Replica({ learner: 0, host, sessionTimeoutMs });
  }

  apply(...entries: readonly AcceptedEntry[]): this {
    for (const entry of entries) {
      this.replica.apply(entry);
      this.answers.push(...this.replica.takeReady().send.map(({ message }) => message));
    }
    return this;
  }

  /** What clients are told, without how the results were cut into messages. */
  get told(): string[] {
    const lines = this.answers.flatMap(message => {
      if (message.type !== "response") return [JSON.stringify(message)];
      return Array.from(
        message.results,
        (result, at) => `${message.session}:${message.firstSequence + at} ${JSON.stringify(result)}`,
      );
    });
    return [...new Set(lines)];
  }
}

function entries(...batches: readonly { timeMs: number; segments: readonly Segment[] }[]): AcceptedEntry[] {
  let firstInstance = 0;
  return batches.map(({ timeMs, segments }) => {
    const count = segments.reduce((sum, segment) => sum + segment.count, 0);
    const entry = entryOf(ballotOf(1), firstInstance, { timeMs, count, segments });
    firstInstance += count;
    return entry;
  });
}

const open: Segment = { kind: "open", client: 1, count: 1, answerer: 0 };
const keepAlive: Segment = { kind: "keepAlive", client: 1, session: 0, count: 1, answerer: 0 };
const command = (session: number, first: number, count = 1) => commandSegment(first, count, { session });

describe("a replica's logical time", () => {
  it("never goes back, even if a leader's stamp does", () => {
    const stamps = [10, 5, 20, 19];
    const { applied } = new Tested().apply(
      ...entries(
        { timeMs: 10, segments: [open] },
        ...stamps.map((timeMs, at) => ({ timeMs, segments: [command(0, at + 1)] })),
      ),
    );
    expect(applied.map(({ timeMs }) => timeMs)).toEqual([10, 10, 20, 20]);
  });

  it("ends sessions that were silent for longer than their time-out", () => {
    const tested = new Tested().apply(
      ...entries(
        { timeMs: 0, segments: [open] },
        { timeMs: 100, segments: [command(0, 1)] },
        { timeMs: 200, segments: [keepAlive] },
        { timeMs: 300, segments: [command(0, 2)] },
        { timeMs: 401, segments: [command(0, 3)] },
        { timeMs: 402, segments: [keepAlive] },
      ),
    );
    expect(tested.applied.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(tested.replica.sessions).toBe(0);
    const expired = { type: "sessionExpired", session: 0 };
    expect(tested.answers.slice(-2)).toEqual([expired, expired]);
  });

  it("keeps a session whose commands cannot be applied yet", () => {
    const tested = new Tested().apply(
      ...entries(
        { timeMs: 0, segments: [open] },
        { timeMs: 90, segments: [command(0, 2)] },
        { timeMs: 180, segments: [command(0, 1, 2)] },
      ),
    );
    expect(tested.applied.map(({ sequence }) => sequence)).toEqual([1, 2]);
  });
});

describe("a replica's answers", () => {
  const at = (first: number, count: number, answerer: number) =>
    commandSegment(first, count, { session: 0, answerer });
  const answered = (...segments: readonly Segment[]) => {
    const tested = new Tested().apply(
      ...entries(
        { timeMs: 0, segments: [open] },
        ...segments.map(segment => ({ timeMs: 0, segments: [segment] })),
      ),
    );
    return {
      applied: tested.applied.map(({ sequence }) => sequence),
      answers: tested.answers.slice(1).map(message => message.type === "response" && message.results),
    };
  };

  it("to a duplicate are the stored ones, from the learner that it names", () => {
    expect(answered(at(1, 3, 0), at(2, 2, 0))).toEqual({
      applied: [1, 2, 3],
      answers: [
        ["0:1", "0:2", "0:3"],
        ["0:2", "0:3"],
      ],
    });
    expect(answered(at(1, 3, 1), at(1, 3, 0)).answers).toEqual([["0:1", "0:2", "0:3"]]);
  });

  it("are not given again when another learner is named, not even for the part that is new", () => {
    expect(answered(at(1, 3, 0), at(1, 3, 1), at(3, 2, 1))).toEqual({
      applied: [1, 2, 3, 4],
      answers: [["0:1", "0:2", "0:3"]],
    });
  });
});

describe("replicas", () => {
  it("agree on everything, however the same batches reach them in slices", () => {
    const session = fc.nat(12);
    const sequenced = fc.record({
      session,
      first: fc.integer({ min: 1, max: 6 }),
      count: fc.integer({ min: 1, max: 4 }),
    });
    const segment = fc.oneof(
      { weight: 2, arbitrary: fc.constant<Segment>(open) },
      { weight: 6, arbitrary: sequenced.map(({ session, first, count }) => command(session, first, count)) },
      {
        weight: 1,
        arbitrary: sequenced.map(({ session, first: firstSequence, count }): Segment => {
          const who = { client: 1, session, acknowledgedBelow: 1, answerer: 0 };
          return { kind: "fill", ...who, firstSequence, count };
        }),
      },
      { weight: 1, arbitrary: session.map((session): Segment => ({ ...keepAlive, session }) as Segment) },
      {
        weight: 1,
        arbitrary: session.map((session): Segment => ({ kind: "close", client: 1, session, count: 1 })),
      },
      {
        weight: 1,
        arbitrary: fc.integer({ min: 1, max: 3 }).map((count): Segment => ({ kind: "noop", count })),
      },
    );
    const batch = fc.record({
      timeMs: fc.nat(400),
      segments: fc.array(segment, { minLength: 1, maxLength: 4 }),
    });
    const cuts = fc.infiniteStream(fc.integer({ min: 1, max: 5 }));
    fc.assert(
      fc.property(fc.array(batch, { minLength: 1, maxLength: 12, size: "max" }), cuts, (batches, lengths) => {
        const whole = entries(...batches);
        const sliced = whole.flatMap(entry => slicesOf(entry, lengths));
        const [one, other] = [new Tested().apply(...whole), new Tested().apply(...sliced)];
        expect(other.applied).toEqual(one.applied);
        expect(other.replica.sessions).toBe(one.replica.sessions);
        expect(other.replica.appliedBelow).toBe(one.replica.appliedBelow);
        expect(other.told).toEqual(one.told);
      }),
      { numRuns: 500 },
    );
  });
});

function slicesOf(entry: AcceptedEntry, lengths: Iterator<number>): AcceptedEntry[] {
  const slices: AcceptedEntry[] = [];
  for (let at = 0; at < entry.count; ) {
    const count = Math.min(lengths.next().value as number, entry.count - at);
    const batch: Batch = sliceBatch(entry.batch, at, count);
    slices.push(entryOf(entry.ballot, entry.firstInstance + at, batch));
    at += count;
  }
  return slices;
}

describe("a replica's queries", () => {
  it("wait until what the reader must see is applied", () => {
    const tested = new Tested();
    const query = { type: "query", bytes: new Uint8Array(1) } as const;
    tested.replica.receive("client-1", { ...query, id: 1, appliedBelow: 2 });
    tested.replica.receive("client-1", { ...query, id: 2, appliedBelow: 0 });
    const answer = (id: number, appliedBelow: number) => ({
      to: ["client-1"],
      message: { type: "answer", id, result: "answer", appliedBelow },
    });
    expect(tested.replica.takeReady().send).toEqual([answer(2, 0)]);
    const [first, second] = entries(
      { timeMs: 0, segments: [{ kind: "noop", count: 1 }] },
      { timeMs: 0, segments: [{ kind: "noop", count: 2 }] },
    ) as [AcceptedEntry, AcceptedEntry];
    tested.replica.apply(first);
    expect(tested.replica.takeReady().send).toEqual([]);
    tested.replica.apply(second);
    expect(tested.replica.takeReady().send).toEqual([answer(1, 3)]);
  });

  it("are told what is applied, and logical time, which never goes back", () => {
    const tested = new Tested();
    const ask = (appliedBelow: number) =>
      tested.replica.receive("client-1", { type: "query", bytes: new Uint8Array(1), id: 1, appliedBelow });
    const noop = (timeMs: number) => ({ timeMs, segments: [{ kind: "noop", count: 2 } as const] });
    ask(0);
    ask(4);
    tested.apply(...entries(noop(50), noop(40)));
    ask(0);
    expect(tested.asked).toEqual([
      { instance: -1, timeMs: 0 },
      { instance: 3, timeMs: 50 },
      { instance: 3, timeMs: 50 },
    ]);
  });
});
