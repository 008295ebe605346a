import { ClusterSubject } from "../cluster-subject.js";
import type { Experiment } from "../experiment.js";
import { batchCommandsMax } from "../options.js";

/** The batching row with MessagePort mailboxes: what the ring buys. */
export const messagePort: Experiment = {
  id: "message-port",
  adds: "the same over MessagePorts",
  start: (options, trace) =>
    ClusterSubject.start(
      {
        protocol: "multi-paxos",
        commandsMax: batchCommandsMax(options),
        batchesMax: options.pipeline,
        mailbox: "port",
      },
      options,
      trace,
    ),
};
