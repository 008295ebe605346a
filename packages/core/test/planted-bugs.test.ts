import { describe, expect, it } from "vitest";
import { plantedBugs } from "./planted-bugs/bugs.js";
import { observerBugs } from "./planted-bugs/observer-bugs.js";
import { buildPatched, firstFailure } from "./planted-bugs/planted-bug.js";

/** A bug that hides for longer than this is not caught. Most need fewer than ten, the rarest a few hundred. */
const seedsMax = 1500;

describe("every planted bug is caught", () => {
  it.each([...plantedBugs, ...observerBugs])("rule $rule: $name", async ({ patches, options }) => {
    const { simulate } = await buildPatched(patches);
    const failure = firstFailure(simulate, seedsMax, options);
    // A check or an assertion of the protocol must have noticed: a patch that merely crashes, or a history that
    // nobody could judge, proves nothing.
    expect(failure?.violation, `caught within ${seedsMax} seeds`).toMatch(
      /^(CheckFailure|InvariantViolation): /,
    );
    expect(failure?.violation).not.toContain("undecided");
    if (process.env.SYNOD_SHOW_CAUGHT) console.log(`seed ${failure?.seed}: ${failure?.violation}`);
  });
});

describe("changes that are no bugs are not caught", () => {
  it("the sources as they are", async () => {
    expect(firstFailure((await buildPatched([])).simulate, 100)).toBeUndefined();
  });

  it("sequence numbers that begin just below 2^32", async () => {
    const first = 2 ** 32 - 8;
    const { simulate } = await buildPatched([
      { file: "outstanding.ts", find: "#next = 1;", replace: `#next = ${first};` },
      { file: "outstanding.ts", find: "#oldest = 1;", replace: `#oldest = ${first};` },
      { file: "sessions.ts", find: "last: 0,", replace: `last: ${first - 1},` },
    ]);
    expect(firstFailure(simulate, 100, { firstSequence: first })).toBeUndefined();
  });
});

describe("the patches are exact", () => {
  it("a text that is not there is refused", async () => {
    const patch = { file: "ballot.ts", find: "no such text", replace: "" };
    await expect(buildPatched([patch])).rejects.toThrow("0 times, not once");
  });

  it("quorums that do not intersect are refused at the start", async () => {
    const { simulate } = await buildPatched([]);
    const start = () =>
      simulate({
        seed: 1,
        profile: {
          topology: { proposers: 2, acceptors: 4, learners: 2 },
          quorums: { prepare: 2, accept: 2 },
        },
      });
    expect(start).toThrow("every phase-1 quorum meets every phase-2 quorum");
  });
});

describe("a failure", () => {
  it("is shortened to a run that fails too, and says how to replay it", async () => {
    const patches = plantedBugs.find(({ name }) => name === "accept below the promise")?.patches ?? [];
    const { simulate, shortenFailure, describeFailure } = await buildPatched(patches);
    const failure = firstFailure(simulate, seedsMax);
    if (failure === undefined) expect.fail("the planted bug is not caught");
    const shortened = shortenFailure(failure, { seed: failure.seed });
    expect(shortened.result.steps).toBeLessThanOrEqual(failure.steps);
    expect(simulate(shortened.options)).toEqual(shortened.result);
    const text = describeFailure(shortened);
    expect(text).toContain(`seed ${failure.seed}: CheckFailure: `);
    expect(text).toContain(`replay: simulate --seed ${failure.seed} --steps `);
  });
});
