import {
  type AcceptedEntry,
  type AcceptedMessage,
  Acceptor,
  actorAddress,
  Learner,
  majorities,
  type PrepareMessage,
  type PromiseMessage,
  Proposer,
  ThresholdQuorums,
} from "@synod/core";
import { acceptOf, ballot, batchOf, commandsPerBatch, laterBallot, segmentOf } from "./samples.js";
import { type MicroKind, mustBe, timed } from "./task.js";

const topology = { proposers: 1, acceptors: 3, learners: 2 };
const quorums = new ThresholdQuorums(topology.acceptors, majorities(topology.acceptors));
const leader = actorAddress("proposer", 0);
const answering = [0, 1].map(index => actorAddress("acceptor", index));

/** Instances that a new leader finds, in batches that do not begin where the other acceptor's do. */
const mergedInstances = 10_000;
const mergedBatch = 100;

/** Without leases: their heartbeats depend on time. */
function newProposer(batchesMax: number): Proposer {
  const proposer = new Proposer({
    ...{ topology, quorums, index: 0, incarnation: 1, mode: "multi", distinguishedLearner: false },
    batch: { commandsMax: commandsPerBatch, bytesMax: 1 << 30, lingerMs: 0, adaptive: false },
    pipeline: { batchesMax },
    ...{ retransmitMs: 1e9, leaseMs: 0, random: () => 0.5 },
  });
  proposer.campaign(0);
  proposer.takeReady(0);
  return proposer;
}

function promiseOf(proposer: Proposer, accepted: readonly AcceptedEntry[]): PromiseMessage {
  return {
    ...{ type: "promise", ballot: proposer.ballot, firstInstance: 0, trimmedBelow: 0 },
    ...{ accepted, continuesAt: -1 },
  };
}

function acceptedOf(number: number, of = ballot): AcceptedMessage {
  const { firstInstance, batch } = acceptOf(number);
  return {
    ...{ type: "accepted", ballot: of, firstInstance, count: batch.count, batch },
    ...{ source: null, leaseUntil: 0, distinguished: -1 },
  };
}

/** What an acceptor tells that has accepted batches from `from` on. */
function entriesFrom(from: number, of: typeof ballot): AcceptedEntry[] {
  const entries: AcceptedEntry[] = [];
  for (let firstInstance = 0; firstInstance < mergedInstances; ) {
    const end = firstInstance === 0 && from > 0 ? from : firstInstance + mergedBatch;
    const count = Math.min(end, mergedInstances) - firstInstance;
    const segments = [segmentOf(0, firstInstance + 1, count)];
    entries.push({ ballot: of, firstInstance, count, batch: { timeMs: 0, count, segments }, source: null });
    firstInstance += count;
  }
  return entries;
}

function newAcceptor(): Acceptor {
  return new Acceptor({ topology, leaseMs: 0 }, undefined, 0);
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** An acceptor that has accepted 10,000 instances promises, and tells them. */
function prepare(operations: number): number {
  const acceptor = newAcceptor();
  for (const entry of entriesFrom(0, ballot)) {
    const { firstInstance, batch } = entry;
    acceptor.receive(leader, { ...acceptOf(0), firstInstance, batch }, 0);
  }
  acceptor.takeReady();
  const prepares = range(operations).map((index): PrepareMessage => {
    const higher = { ...laterBallot, round: laterBallot.round + index };
    return { type: "prepare", ballot: higher, firstInstance: 0, released: null };
  });
  let promises = 0;
  const tookMs = timed(() => {
    for (const message of prepares) {
      acceptor.receive(leader, message, 0);
      promises += acceptor.takeReady().send.length;
    }
  });
  mustBe("promises sent", promises, operations);
  return tookMs;
}

/** A proposer is promised by a quorum, merges what it is told, and proposes it again. */
function merge(operations: number): number {
  const told = [entriesFrom(0, ballot), entriesFrom(mergedBatch / 2, laterBallot)];
  let tookMs = 0;
  for (let left = operations; left > 0; left--) {
    const proposer = newProposer(1_000_000);
    const promises = told.map(entries => promiseOf(proposer, entries));
    let sent = 0;
    tookMs += timed(() => {
      promises.forEach((promise, acceptor) => {
        proposer.receive(answering[acceptor]!, promise, 0);
      });
      sent = proposer.takeReady(0).send.length;
    });
    mustBe("the proposer's state", proposer.state, "leading");
    mustBe("Accepts sent", sent >= mergedInstances / mergedBatch, true);
  }
  return tookMs;
}

function accept(operations: number): number {
  const acceptor = newAcceptor();
  const accepts = range(operations).map(acceptOf);
  let sent = 0;
  const tookMs = timed(() => {
    for (const message of accepts) {
      acceptor.receive(leader, message, 0);
      sent += acceptor.takeReady().send.length;
    }
  });
  mustBe("something was sent for each Accept", sent >= operations, true);
  return tookMs;
}

/** The leader counts votes; every second one makes a quorum. */
function accepted(operations: number): number {
  const batches = Math.ceil(operations / 2);
  const proposer = newProposer(batches);
  for (const acceptor of answering) proposer.receive(acceptor, promiseOf(proposer, []), 0);
  for (const number of range(batches)) {
    proposer.receive(
      "client-0",
      { type: "propose", segments: batchOf(number).segments, forwarded: false },
      0,
    );
  }
  proposer.takeReady(0);
  const votes = range(operations).map(index => {
    const { batch: _, ...vote } = acceptedOf(index >> 1, proposer.ballot);
    return { ...vote, batch: null };
  });
  const tookMs = timed(() => {
    for (let index = 0; index < votes.length; index++) {
      proposer.receive(answering[index & 1]!, votes[index]!, 0);
      proposer.takeReady(0);
    }
  });
  mustBe("instances known to be chosen", proposer.chosenBelow, (operations >> 1) * commandsPerBatch);
  return tookMs;
}

/** A learner counts votes; every second one makes a quorum, and the batch is handed on. */
function learn(operations: number): number {
  const learner = new Learner({ topology, quorums, index: 0, fetchAfterMs: 1e9 });
  const votes = range(operations).map(index => acceptedOf(index >> 1));
  let chosen = 0;
  const tookMs = timed(() => {
    for (let index = 0; index < votes.length; index++) {
      learner.receive(answering[index & 1]!, votes[index]!, 0);
      chosen += learner.takeReady().chosen.length;
    }
  });
  mustBe("batches handed on", chosen, operations >> 1);
  return tookMs;
}

/** As many as may be under way or wait for a snapshot. */
const batchesMax = 2000;
const step = (
  id: string,
  operation: string,
  operationsMax: number,
  run: (operations: number) => number,
): MicroKind => ({ id: `core/${id}`, operation, operationsMax, open: () => ({ run }) });

export const coreKinds: readonly MicroKind[] = [
  step("prepare", "an acceptor promises and tells 10,000 instances", 1000, prepare),
  step("merge", "a proposer merges 10,000 instances of two acceptors, and proposes them", 100, merge),
  step("accept", `an acceptor accepts ${commandsPerBatch} commands`, batchesMax, accept),
  step("accepted", "a leader counts a vote, every second one makes a quorum", batchesMax, accepted),
  step("learn", "a learner counts a vote, every second one makes a quorum", batchesMax, learn),
];
