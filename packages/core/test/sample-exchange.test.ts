import { limits, ResultSamples, type Sample, type SampleMessage } from "@synod/core";
import { describe, expect, it } from "vitest";
import { SampleExchange } from "../dist/sample-exchange.js";

const digestOf = (result: unknown) => result as number;

/** What a state machine has sampled that returned these, one for each instance from 0 on. */
function samplesOf(...results: readonly number[]): ResultSamples {
  const samples = new ResultSamples({ digestOf, every: 1 });
  samples.add(0, results);
  return samples;
}

const hundred = Array.from({ length: 100 }, (_, instance) => instance);
/** As above, but other results from an instance on. */
const wrongFrom = (from: number) => hundred.map(result => (result >= from ? -result : result));

function told(samples: ResultSamples, appliedBelow: number, first = 0): SampleMessage {
  const below = samples.from(first).filter(([instance]) => instance < appliedBelow);
  return { type: "sample", appliedBelow, samples: below };
}

/** Learner 0 of three, which has applied everything below `appliedBelow`. */
function exchange(own: ResultSamples, appliedBelow: number): SampleExchange {
  const tested = new SampleExchange(3, 0, 0);
  tested.applied(appliedBelow, own, 0);
  return tested;
}

const pairs = (tested: SampleExchange) => tested.takeReady().divergences;

describe("SampleExchange compares", () => {
  const own = samplesOf(...hundred);

  it("what both have applied, whoever was first", () => {
    const tested = exchange(own, 10);
    tested.receive(1, told(samplesOf(...wrongFrom(50)), 100), own);
    expect(pairs(tested)).toEqual([]);
    tested.applied(50, own, 0);
    expect(pairs(tested)).toEqual([]);
    tested.applied(51, own, 0);
    expect(pairs(tested)).toEqual([{ instance: 50, learners: [0, 1] }]);
  });

  it("also when what was said first is lost", () => {
    const tested = exchange(own, 100);
    tested.receive(2, told(samplesOf(...wrongFrom(50)), 100, 90), own);
    expect(pairs(tested)).toEqual([{ instance: 90, learners: [0, 2] }]);
  });

  it("and reports a pair once, whatever comes twice or late", () => {
    const tested = exchange(own, 100);
    const wrong = samplesOf(...wrongFrom(50));
    for (const [first, below] of [
      [60, 70],
      [40, 60],
      [60, 70],
      [0, 50],
      [0, 100],
    ] as const) {
      tested.receive(1, told(wrong, below, first), own);
    }
    expect(pairs(tested)).toHaveLength(1);
    tested.receive(2, told(wrong, 100), own);
    expect(pairs(tested)).toEqual([{ instance: 50, learners: [0, 2] }]);
  });

  it("and reports it again when they had become the same", () => {
    const tested = exchange(own, 70);
    tested.receive(1, told(samplesOf(...wrongFrom(50)), 60), own);
    tested.receive(1, told(own, 65), own);
    expect(pairs(tested)).toHaveLength(1);
    // What it said in its former life comes late.
    tested.receive(1, told(samplesOf(...wrongFrom(50)), 60), own);
    expect(pairs(tested)).toEqual([]);
    tested.applied(100, own, 0);
    tested.receive(1, told(samplesOf(...wrongFrom(80)), 100), own);
    expect(pairs(tested)).toEqual([{ instance: 80, learners: [0, 1] }]);
  });
});

describe("SampleExchange confirms", () => {
  const own = samplesOf(...hundred);

  it("what another learner has told of an instance, or of a later one", () => {
    const tested = exchange(own, 100);
    tested.heard(1, 0);
    expect(tested.confirms(40, own, 0)).toBe(false);
    tested.receive(1, told(own, 40, 39), own);
    expect(tested.confirms(40, own, 0)).toBe(true);
    expect(tested.confirms(41, own, 0)).toBe(false);
    tested.receive(1, told(own, 100, 99), own);
    expect(tested.confirms(41, own, 0)).toBe(true);
  });

  it("nothing that another has told otherwise", () => {
    const tested = exchange(own, 100);
    tested.receive(1, told(samplesOf(...wrongFrom(50)), 100), own);
    tested.heard(1, 0);
    expect(tested.confirms(50, own, 0)).toBe(true);
    expect(tested.confirms(51, own, 0)).toBe(false);
  });

  it("everything when nobody else lives, but not before it could have heard of somebody", () => {
    const tested = exchange(own, 100);
    expect(tested.confirms(50, own, limits.learnerAliveMs - 1)).toBe(false);
    expect(tested.confirms(50, own, limits.learnerAliveMs)).toBe(true);
    tested.heard(2, limits.learnerAliveMs);
    expect(tested.confirms(50, own, 2 * limits.learnerAliveMs - 1)).toBe(false);
    expect(tested.confirms(50, own, 2 * limits.learnerAliveMs)).toBe(true);
  });

  it("nothing by what agreed with a state that was replaced since", () => {
    const every = 10;
    const sparse = (...results: number[]) => {
      const samples = new ResultSamples({ digestOf, every });
      samples.add(0, results);
      return samples;
    };
    const before = sparse(...hundred.slice(0, 45));
    const tested = exchange(before, 45);
    tested.heard(1, 0);
    tested.receive(1, told(sparse(...hundred), 60), before);
    // It goes on from the snapshot of one that had gone apart, at an instance below the next sample.
    const other = sparse(...wrongFrom(20).slice(0, 48));
    tested.restored(48, other, 0);
    expect(tested.confirms(49, other, 0)).toBe(false);
  });

  it("nothing of which all samples are gone, but by later ones", () => {
    const many = 2 * limits.resultSamplesKept;
    const results = Array.from({ length: many }, (_, instance) => instance);
    const right = samplesOf(...results);
    const wrong = samplesOf(...results.map(result => -result));
    const tested = exchange(right, many);
    tested.heard(1, 0);
    tested.receive(1, { ...told(wrong, many), samples: wrong.from(many - 10) }, right);
    expect(right.lastBelow(50)).toBeUndefined();
    expect(tested.confirms(50, right, 0)).toBe(false);
    tested.receive(2, { ...told(right, many), samples: right.from(many - 10) }, right);
    expect(tested.confirms(50, right, 0)).toBe(true);
  });
});

describe("SampleExchange tells", () => {
  it("some of all that is new, the last one of it, and the last one from before", () => {
    const own = samplesOf(...hundred);
    const tested = new SampleExchange(2, 0, 0);
    const said = (): (readonly Sample[])[] =>
      tested.takeReady().send.map(({ to, message }) => {
        expect(to).toEqual(["learner-1"]);
        return (message as SampleMessage).samples;
      });
    tested.applied(10, own, 0);
    tested.tick(own, tested.deadline);
    tested.takeReady();
    tested.applied(100, own, 0);
    expect(said()).toEqual([]);
    tested.tick(own, tested.deadline);
    const [samples = []] = said();
    expect(samples).toHaveLength(limits.samplesPerMessage);
    expect(own.from(0)).toEqual(expect.arrayContaining([...samples]));
    expect([samples[0], samples.at(-1)]).toEqual([own.lastBelow(10), own.lastBelow(100)]);
    // A sign of life repeats the last one: it covers whatever was lost.
    tested.tick(own, tested.deadline);
    expect(said()).toEqual([own.from(99)]);
  });
});
