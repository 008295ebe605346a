import { defineConfig } from "vitest/config";

// Tests import the packages by name, which leads to their built output, and load it as Node does. A worker thread
// can only start from built output too, so a test and its threads run the very same files.
const server = { deps: { external: [/\/packages\/[^/]+\/dist\//] } };

/** Threads that are killed, or stall: what waits for leases and deadlines takes its time. */
const faults = [
  "packages/runtime/test/{no-quorum,snapshots-in-threads,supervision}.test.ts",
  "packages/runtime/test/storage/kill.test.ts",
];

/** Parts of the runtime and of the benchmark by themselves: no cluster, no thread, no clock that they wait for. */
const parts = [
  "packages/runtime/test/{batch-digest,command-columns,frame-codec,learner-host}.test.ts",
  "packages/runtime/test/{machines,testing}/**/*.test.ts",
  "packages/runtime/test/mailbox/{mailbox,post,shared-copy}.test.ts",
  "packages/runtime/test/storage/{shared,storage}.test.ts",
  "packages/bench/test/{pure,sampling,sequence-chart}.test.ts",
  "packages/bench/test/results/*.test.ts",
  "packages/bench/test/sweep/{open-loop,pure}.test.ts",
  "packages/bench/test/live/{load,messages,reduce,view}.test.ts",
  "packages/bench/test/compare/pure.test.ts",
  "packages/bench/test/chaos/{counts,histories,machine,planted,schedule}.test.ts",
  "packages/bench/test/sweep-report/*.test.ts",
];

// One group after the other: threaded tests never share the cores with the simulator or with an example.
export default defineConfig({
  test: {
    reporters: ["default", "./scripts/plain-line-reporter.mjs"],
    projects: [
      {
        test: {
          name: "core",
          include: ["packages/core/test/**/*.test.ts"],
          pool: "forks",
          // Nothing of it waits for a clock: with two cores Vitest would leave one of them idle.
          maxWorkers: 2,
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
          server,
        },
      },
      {
        test: {
          name: "parts",
          include: parts,
          pool: "forks",
          maxWorkers: 2,
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
          server,
        },
      },
      {
        test: {
          name: "threads",
          include: ["packages/{runtime,bench}/test/**/*.test.ts"],
          exclude: [
            "**/*.chaos.test.ts",
            "packages/*/test/{browser,embed,profile,sweep}/**",
            ...faults,
            ...parts,
          ],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
          server,
        },
      },
      {
        test: {
          name: "faults",
          include: faults,
          pool: "forks",
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 3 },
          server,
        },
      },
      {
        test: {
          name: "embed",
          include: ["packages/{runtime,bench}/test/{embed,profile,sweep}/**/*.test.ts"],
          exclude: parts,
          pool: "forks",
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 4 },
          server,
        },
      },
      {
        test: {
          name: "chaos",
          include: ["packages/bench/test/**/*.chaos.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 120_000,
          sequence: { groupOrder: 5 },
          server,
        },
      },
      {
        test: {
          name: "browser",
          include: ["packages/bench/test/browser/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 6 },
          server,
        },
      },
      {
        test: {
          name: "docs",
          include: ["test/**/*.test.ts"],
          pool: "forks",
          // Programs of their own, most of which wait for each other or for a lease: with one at a time a core is idle.
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 7 },
          server,
        },
      },
    ],
  },
});
