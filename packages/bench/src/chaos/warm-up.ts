import { Cluster } from "@synod/runtime";
import { monotonicMs } from "@synod/runtime/internal";
import { ClientThreads } from "./client-threads.js";
import { ChaosMachine } from "./machine.js";
import { ObserverThread } from "./observer.js";
import { type ProcessState, processState } from "./process-state.js";

/** What one client thread then does, for so long, in milliseconds. */
const warmUpMs = 300;

/**
 * Runs a cluster of the smallest size with one client thread, and closes everything: what Node and the packages load
 * once is loaded then. Returns what the process holds afterwards.
 */
export async function warmUp(): Promise<ProcessState> {
  const fail = (text: string): never => {
    throw new Error(`the first cluster, without faults, failed: ${text}`);
  };
  const violations: string[] = [];
  const generations = { originMs: monotonicMs(), durationMs: warmUpMs };
  const observer = new ObserverThread(
    generations,
    text => violations.push(text),
    () => undefined,
  );
  const cluster = await Cluster.start({
    stateMachine: ChaosMachine,
    proposers: 1,
    acceptors: 1,
    learners: 1,
  });
  try {
    const clients = new ClientThreads({
      handle: cluster.handle(),
      observer,
      workload: { seed: 0, inFlight: 16, checkedLanes: 4, slots: 1, generations, timeoutMs: 10_000 },
      runSeconds: 1,
      onViolation: text => violations.push(text),
    });
    await clients.start();
    await new Promise(resolve => setTimeout(resolve, warmUpMs));
    const { unsettled } = await clients.stop(20_000);
    await observer.finish();
    if (unsettled > 0) fail(`${unsettled} operations have not settled`);
    if (violations.length > 0) fail(violations.join("; "));
  } finally {
    await cluster.close();
    await observer.close();
  }
  return processState();
}
