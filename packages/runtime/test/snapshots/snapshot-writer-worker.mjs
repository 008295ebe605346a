/** A learner's snapshots on a thread that is to be killed: publishes one after the other, and says which. */
import { parentPort, workerData } from "node:worker_threads";
import { SnapshotWriter } from "../../dist/snapshots/index.js";
import { publishNumber } from "./chunks.mjs";

const { region, published } = workerData;
const writer = new SnapshotWriter(region);
parentPort?.postMessage("opened");
for (let number = Atomics.load(published, 0) + 1; ; number++) {
  publishNumber(writer, number);
  Atomics.store(published, 0, number);
}
