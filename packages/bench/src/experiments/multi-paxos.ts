import { ClusterSubject } from "../cluster-subject.js";
import type { Experiment } from "../experiment.js";

/** Multi-Paxos: while the leader is stable only phase 2 runs. */
export const multiPaxos: Experiment = {
  id: "multi-paxos",
  adds: "phase 1 once for all instances",
  start: (options, trace) =>
    ClusterSubject.start(
      { protocol: "multi-paxos", commandsMax: 1, batchesMax: 1, mailbox: "ring" },
      options,
      trace,
    ),
};
