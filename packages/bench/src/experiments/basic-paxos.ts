import { ClusterSubject } from "../cluster-subject.js";
import type { Experiment } from "../experiment.js";

/** Basic Paxos per instance, in sequence: the baseline. */
export const basicPaxos: Experiment = {
  id: "basic-paxos",
  adds: "both phases for every instance, one after the other",
  start: (options, trace) =>
    ClusterSubject.start(
      { protocol: "basic-paxos", commandsMax: 1, batchesMax: 1, mailbox: "ring" },
      options,
      trace,
    ),
};
