import {
  type Configuration,
  disjointQuorums,
  explore,
  largeConfigurations,
  smallConfigurations,
} from "@synod/core/testing";
import { describe, expect, it } from "vitest";
import { exploredBugs } from "./planted-bugs/explored-bugs.js";
import { buildPatched } from "./planted-bugs/planted-bug.js";

/** Every small space has fewer states, and every planted bug shows in fewer. */
const statesMax = 1_200_000;

const all = [...smallConfigurations, ...largeConfigurations, disjointQuorums];

function named(name: string): Configuration {
  const configuration = all.find(known => known.name === name);
  if (configuration === undefined) throw new Error(`there is no configuration "${name}"`);
  return configuration;
}

describe("every state of a small space keeps the invariants", () => {
  it.each(smallConfigurations)("$name: $about", configuration => {
    const { violation, exhausted, states, depth } = explore(configuration, { statesMax });
    expect(violation?.path.join("\n"), violation?.invariant).toBeUndefined();
    expect(exhausted).toBe(true);
    // A space in which nothing is chosen, or nobody is in another's way, would be smaller.
    expect(states).toBeGreaterThan(10_000);
    expect(depth).toBeGreaterThan(25);
  });
});

describe("every planted bug is found that a space can express", () => {
  it.each(exploredBugs)("$configuration: $name", async ({ configuration, patches }) => {
    const patched = await buildPatched(patches);
    const { violation } = patched.explore(named(configuration), { statesMax });
    expect(violation?.invariant).toBeDefined();
  });
});

describe("quorums that do not intersect", () => {
  it("are found unsafe, on a shortest path", () => {
    const { violation, exhausted } = explore(disjointQuorums, { statesMax });
    expect(exhausted).toBe(false);
    expect(violation?.invariant).toBe(
      "two values are chosen for instance 0: command 11 in ballot 1.0.0 and command 21 in ballot 1.1.1",
    );
    expect(violation?.path).toEqual([
      "proposer-0 campaigns => Prepare 1.0.0 from 0",
      "proposer-0 is proposed commands by a client",
      "proposer-1 campaigns => Prepare 1.1.1 from 0",
      "proposer-1 is proposed commands by a client",
      "acceptor-0 gets from proposer-0: Prepare 1.0.0 from 0 => Promise 1.0.0 from 0: nothing",
      "proposer-0 gets from acceptor-0: Promise 1.0.0 from 0: nothing",
      "acceptor-1 gets from proposer-0: Prepare 1.0.0 from 0 => Promise 1.0.0 from 0: nothing",
      "proposer-0 gets from acceptor-1: Promise 1.0.0 from 0: nothing => Accept 0 in 1.0.0: 11",
      "acceptor-2 gets from proposer-0: Accept 0 in 1.0.0: 11 => Accepted 0 in 1.0.0",
      "acceptor-3 gets from proposer-0: Accept 0 in 1.0.0: 11 => Accepted 0 in 1.0.0",
      "acceptor-0 gets from proposer-1: Prepare 1.1.1 from 0 => Promise 1.1.1 from 0: nothing",
      "proposer-1 gets from acceptor-0: Promise 1.1.1 from 0: nothing",
      "acceptor-1 gets from proposer-1: Prepare 1.1.1 from 0 => Promise 1.1.1 from 0: nothing",
      "proposer-1 gets from acceptor-1: Promise 1.1.1 from 0: nothing => Accept 0 in 1.1.1: 21",
      "acceptor-0 gets from proposer-1: Accept 0 in 1.1.1: 21 => Accepted 0 in 1.1.1",
      "acceptor-1 gets from proposer-1: Accept 0 in 1.1.1: 21 => Accepted 0 in 1.1.1",
    ]);
  });
});

describe("the explorer", () => {
  const campaigner = { campaignsMax: 1, restartsMax: 0, proposals: [1] };
  const tiny: readonly Partial<Configuration>[] = [
    { acceptors: 2, proposers: [campaigner, { ...campaigner, proposals: [] }] },
    { acceptors: 2, quorums: { prepare: 2, accept: 1 }, proposers: [{ ...campaigner, campaignsMax: 2 }] },
    { acceptors: 2, proposers: [campaigner], learners: 1, deafLearners: 0 },
  ];

  it.each(tiny)("reaches by its reductions what is reached without them: %o", more => {
    const shapes = (reduce: boolean) => {
      const found = new Set<string>();
      const options = { statesMax, reduce, onState: (shape: string) => found.add(shape) };
      const { exhausted, states } = explore({ ...named("duel"), ...more }, options);
      expect(exhausted).toBe(true);
      return { found: [...found].sort(), states };
    };
    const [reduced, plain] = [shapes(true), shapes(false)];
    expect(reduced.found).toEqual(plain.found);
    expect(plain.states).toBeGreaterThan(reduced.states * 4);
  });

  it("says when it stops before the end", () => {
    const { exhausted, violation, states } = explore(named("duel"), { statesMax: 1000 });
    expect({ exhausted, violation }).toEqual({ exhausted: false, violation: undefined });
    expect(states).toBeLessThan(1100);
  });

  it("does the same again", () => {
    expect(explore(named("four-acceptors"), { statesMax })).toEqual(
      explore(named("four-acceptors"), { statesMax }),
    );
  });
});
