import { ClusterSubject } from "../cluster-subject.js";
import type { Experiment } from "../experiment.js";

/** Pipelining: the leader does not wait for one instance before it proposes the next. */
export const pipelining: Experiment = {
  id: "pipelining",
  adds: "several Accepts under way",
  start: (options, trace) =>
    ClusterSubject.start(
      { protocol: "multi-paxos", commandsMax: 1, batchesMax: options.pipeline, mailbox: "ring" },
      options,
      trace,
    ),
};
