// One thread of the simulator: takes the next seed until none is left, or until some thread has found a failure.
import { parentPort, workerData } from "node:worker_threads";
import { counterNames, noCounters, simulate } from "@synod/core/testing";
import { optionsOf } from "./options.mjs";
import { failureText } from "./replay.mjs";

/** Often enough for a bar that moves. */
const reportMs = 100;

/** @type {import("./spread.mjs").WorkerData} */
const { progress, base, seeds, options } = workerData;

let part = { seeds: 0, steps: 0, counters: noCounters() };
let reportedMs = performance.now();

/** @param {import("./spread.mjs").WorkerMessage} message */
function tell(message) {
  parentPort?.postMessage(message);
}

function report() {
  tell({ kind: "part", part });
  part = { seeds: 0, steps: 0, counters: noCounters() };
  reportedMs = performance.now();
}

/** What broke, in words; `undefined` when nothing did. @param {number} seed */
function run(seed) {
  const seedOptions = optionsOf(seed, options);
  const result = simulate(seedOptions);
  part.seeds += 1;
  part.steps += result.steps;
  for (const name of counterNames) part.counters[name] += result.counters[name];
  if (result.violation === undefined || !isFirst()) return undefined;
  tell({ kind: "broken", what: `seed ${seed}: ${result.violation}` });
  return failureText(result, seedOptions);
}

/** The first failure stops every thread, and is the one that is told. */
function isFirst() {
  return Atomics.compareExchange(progress, 1, 0, 1) === 0;
}

while (Atomics.load(progress, 1) === 0) {
  const index = Atomics.add(progress, 0, 1);
  if (index >= seeds) break;
  try {
    const text = run(base + index);
    if (text !== undefined) tell({ kind: "failure", text });
  } catch (error) {
    // The simulator itself is broken: whoever repairs it wants the stack.
    const text = `seed ${base + index}: ${error instanceof Error ? error.stack : error}`;
    if (isFirst()) tell({ kind: "failure", text });
  }
  if (performance.now() - reportedMs >= reportMs) report();
}
report();
