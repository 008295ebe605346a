/*
 * `@synod/runtime/actor-entry`: what a worker thread of a bundled program runs. Bundle it, or a module that imports
 * it, as an entry of its own, and give its URL to `Cluster.start` as `workerUrl`.
 */
import { parentPort, workerData } from "node:worker_threads";
import runThread from "./actor-task.js";
import { SynodError } from "./errors.js";
import type { ActorResult, ActorWorkerData } from "./worker-pool.js";

const spec = (workerData as Partial<ActorWorkerData> | null)?.synodThread;
if (parentPort === null || spec === undefined) {
  const message =
    "@synod/runtime/actor-entry was loaded by something that is not a cluster: it belongs into a module of its " +
    "own, whose URL is the option workerUrl, and that nothing else imports";
  throw new SynodError("INVALID_OPTIONS", message, { path: "workerUrl" });
}
const port = parentPort;
// No await at top level: the module can be bundled as CommonJS too. What is rejected ends the thread, with the reason.
void runThread(spec).then(synodResult => port.postMessage({ synodResult } satisfies ActorResult));
