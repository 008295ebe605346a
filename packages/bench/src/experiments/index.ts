import type { Experiment } from "../experiment.js";
import { basicPaxos } from "./basic-paxos.js";
import { batching } from "./batching.js";
import { ceiling } from "./ceiling.js";
import { digest } from "./digest.js";
import { distinguishedLearner } from "./distinguished-learner.js";
import { messagePort } from "./message-port.js";
import { multiPaxos } from "./multi-paxos.js";
import { pipelining } from "./pipelining.js";

/** The rows of the table: up to batching each adds one thing to the row before it, then come variants of batching. */
export const experiments: readonly Experiment[] = [
  basicPaxos,
  multiPaxos,
  pipelining,
  batching,
  distinguishedLearner,
  digest,
  messagePort,
  ceiling,
];
