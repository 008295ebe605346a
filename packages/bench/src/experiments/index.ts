import type { Experiment } from "../experiment.js";
import { basicPaxos } from "./basic-paxos.js";
import { batching } from "./batching.js";
import { ceiling } from "./ceiling.js";
import { messagePort } from "./message-port.js";
import { multiPaxos } from "./multi-paxos.js";
import { pipelining } from "./pipelining.js";

/** The rows of the table, each with one thing added to the row before it. */
export const experiments: readonly Experiment[] = [
  basicPaxos,
  multiPaxos,
  pipelining,
  batching,
  messagePort,
  ceiling,
];
