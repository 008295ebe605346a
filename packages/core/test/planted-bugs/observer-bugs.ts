import type { PlantedBug } from "./planted-bug.js";

/** Replicas in users' threads that miss things, die and join, while the log is trimmed behind snapshots. */
const observers: PlantedBug["options"] = {
  profile: {
    topology: { proposers: 2, acceptors: 3, learners: 2 },
    quorums: { prepare: 2, accept: 2 },
    observers: 2,
    trimming: true,
    snapshotEvery: 3,
  },
};

/** Replicas that lag behind much traffic while their callers sync. */
const lagging: PlantedBug["options"] = {
  profile: {
    ...observers?.profile,
    trimming: false,
    clients: 4,
    delayMsMax: 60,
    faultSteps: 1500,
    mode: "multi",
  },
  faults: {
    drop: 0.1,
    reorder: 0.2,
    crashLearner: 0,
    crashProposer: 0,
    crashAcceptor: 0,
    isolate: 0,
    split: 0,
    abandon: 0,
  },
};

/** Mistakes around observers, and around the learners that feed them. */
export const observerBugs: readonly PlantedBug[] = [
  {
    name: "an observer takes its feed for complete",
    rule: 26,
    patches: [
      {
        file: "observer.ts",
        find: "if (from === this.feeder) this.#hasAnswered();",
        replace: "this.#learner.restored(message.firstInstance, now);",
      },
    ],
    options: observers,
  },
  {
    name: "an observer takes a learner's mark for the values",
    rule: 26,
    patches: [
      {
        file: "observer.ts",
        find: "this.#learner.told(chosenBelow, now);",
        replace: "this.#learner.restored(chosenBelow, now);",
      },
    ],
    options: observers,
  },
  {
    name: "an observer does not look how far the learners are",
    rule: 26,
    patches: [{ file: "observer.ts", find: "this.#learner.told(chosenBelow, now);", replace: "" }],
    options: observers,
  },
  {
    name: "an observer believes one acceptor",
    rule: 26,
    patches: [
      {
        file: "observer.ts",
        find: "new Learner({ ...options, topology: alone, index: noLearner })",
        replace:
          "new Learner({ ...options, quorums: { ...options.quorums, isAcceptQuorum: () => true, isPrepareQuorum: () => true }, topology: alone, index: noLearner })",
      },
    ],
    options: observers,
  },
  {
    name: "an observer follows once",
    rule: 26,
    patches: [
      {
        file: "observer.ts",
        find: "this.#followAt = now + limits.followEveryMs;",
        replace: "this.#followAt = Number.POSITIVE_INFINITY;",
      },
    ],
    options: observers,
  },
  {
    name: "an observer reports progress like a learner",
    rule: 26,
    patches: [
      {
        file: "observer.ts",
        find: 'message.type !== "progress" || message.stuck',
        replace: "true",
      },
    ],
    options: observers,
  },
  {
    name: "an observer that is stuck says nothing",
    rule: 26,
    patches: [
      {
        file: "observer.ts",
        find: 'message.type !== "progress" || message.stuck',
        replace: 'message.type !== "progress"',
      },
    ],
    options: { profile: { ...observers?.profile, trimming: false } },
  },
  {
    name: "a sync does not wait for its index",
    rule: 17,
    patches: [
      {
        file: "syncs.ts",
        find: "if (below <= this.#appliedBelow) this.#end(id);",
        replace: "this.#end(id);",
      },
    ],
    options: observers,
  },
  {
    name: "a sync takes the index of an earlier one",
    rule: 17,
    patches: [
      {
        file: "syncs.ts",
        find: "Math.min(readBelow, this.#waiting.get(id) ?? readBelow)",
        replace: "Math.min(readBelow, ...this.#waiting.values())",
      },
    ],
    options: lagging,
  },
];
