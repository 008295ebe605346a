import { describe, expect, it } from "vitest";
import { DistinguishedLearner } from "../dist/distinguished-learner.js";

const stallMs = 100;

/** Three learners that have come so far, and a leader that begins at time 0. */
function begin(...appliedBelow: [number, number, number]): DistinguishedLearner {
  const learner = new DistinguishedLearner(appliedBelow.length, stallMs);
  appliedBelow.forEach((below, index) => {
    learner.progress(index, below);
  });
  learner.restart(0);
  return learner;
}

describe("DistinguishedLearner", () => {
  it("is at first the one that has come farthest", () => {
    expect(begin(0, 0, 0).index).toBe(0);
    expect(begin(3, 8, 5).index).toBe(1);
  });

  it("is replaced by the farthest of the others when it stands still and more is chosen", () => {
    const learner = begin(9, 5, 6);
    learner.watch(20, 99);
    expect(learner.index).toBe(0);
    learner.watch(20, 100);
    expect(learner.index).toBe(2);
    learner.watch(20, 199);
    expect(learner.index).toBe(2);
    learner.watch(20, 200);
    expect(learner.index).toBe(0);
  });

  it("stays while it moves, however far behind", () => {
    const learner = begin(1, 0, 0);
    for (let step = 1; step <= 20; step++) {
      learner.progress(0, 1 + step);
      learner.progress(1, 900);
      learner.watch(1000, step * 90);
    }
    expect(learner.index).toBe(0);
  });

  it("stays when there is nothing that it could have applied", () => {
    const learner = begin(7, 7, 0);
    for (let now = 0; now < 1000; now += 50) {
      learner.watch(7, now);
      expect(learner.index).toBe(0);
    }
    learner.watch(8, 1040);
    expect(learner.index).toBe(0);
  });

  it("stays when it is the only one", () => {
    const learner = new DistinguishedLearner(1, stallMs);
    learner.restart(0);
    learner.watch(5, 500);
    expect(learner.index).toBe(0);
  });

  it("believes what was reported last, also when it is less than before", () => {
    const learner = begin(9, 5, 6);
    learner.progress(1, 30);
    learner.progress(1, 2);
    learner.restart(0);
    expect(learner.index).toBe(0);
    learner.progress(0, 1);
    learner.restart(0);
    expect(learner.index).toBe(2);
  });
});
