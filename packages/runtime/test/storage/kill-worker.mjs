/** An acceptor's storage on a thread that is to be killed: persists random records, and says what has become safe. */
import { parentPort, workerData } from "node:worker_threads";
import { Random } from "@synod/core/testing";
import { RecordSource } from "./record-source.mjs";

const { storageUrl, region, seed, safeCalls } = workerData;
const { SharedStorage } = await import(storageUrl);

const storage = new SharedStorage(region);
const random = new Random(seed);
const source = new RecordSource(end => random.below(end), storage.recover(), 0);
parentPort?.postMessage("opened");
for (let calls = 1; ; calls++) {
  storage.persist(source.next());
  Atomics.store(safeCalls, 0, calls);
}
