import { ClusterSubject } from "../cluster-subject.js";
import type { Experiment } from "../experiment.js";
import { batchCommandsMax } from "../options.js";

/** Batching: one Accept carries the commands of consecutive instances. */
export const batching: Experiment = {
  id: "batching",
  adds: "many commands in one Accept",
  start: (options, trace) =>
    ClusterSubject.start(
      {
        protocol: "multi-paxos",
        commandsMax: batchCommandsMax(options),
        batchesMax: options.pipeline,
        mailbox: "ring",
      },
      options,
      trace,
    ),
};
