import { experiments } from "@synod/bench";
import {
  Acceptor,
  type Address,
  addressesOf,
  type Envelope,
  Learner,
  type Message,
  majorities,
  Proposer,
  ThresholdQuorums,
} from "@synod/core";
import { expect, test } from "vitest";
import { acceptReceivers, type ConsensusShape, consensusMessages } from "../dist/consensus-messages.js";
import { consensusTypes } from "../dist/message-groups.js";
import { traceOneClient } from "../dist/traced-run.js";

type Role = Pick<Proposer | Acceptor | Learner, "receive"> & { flush(): readonly Envelope[] };

/** The roles themselves, over a network that loses nothing and is never late: what the formula is about. */
class CalmCluster {
  readonly #roles = new Map<Address, Role>();
  readonly #sent = new Map<Message["type"], number>();
  readonly #proposer: Proposer;

  constructor(shape: ConsensusShape) {
    const { acceptors, learners, distinguishedLearner, protocol } = shape;
    const topology = { proposers: 1, acceptors, learners };
    const quorums = new ThresholdQuorums(acceptors, majorities(acceptors));
    const digest = shape.digest ? { digest: () => 7 } : {};
    this.#proposer = new Proposer({
      topology,
      quorums,
      index: 0,
      incarnation: 1,
      mode: protocol === "basic-paxos" ? "basic" : "multi",
      batch: { commandsMax: 1, bytesMax: 1024, lingerMs: 0, adaptive: false },
      pipeline: { batchesMax: 1 },
      retransmitMs: 1000,
      leaseMs: 1000,
      distinguishedLearner,
      ...digest,
      random: () => 0,
    });
    this.#add("proposer-0", this.#proposer, () => this.#proposer.takeReady(0).send);
    for (const address of addressesOf("acceptor", acceptors)) {
      const acceptor = new Acceptor({ topology, leaseMs: 1000 }, undefined, 0);
      this.#add(address, acceptor, () => acceptor.takeReady().send);
    }
    addressesOf("learner", learners).forEach((address, index) => {
      const learner = new Learner({ topology, quorums, index, fetchAfterMs: 1000, ...digest });
      this.#add(address, learner, () => learner.takeReady().send);
    });
    this.#proposer.campaign(0);
    this.#settle();
  }

  /** Consensus frames that one command takes. */
  propose(): number {
    this.#sent.clear();
    const segments = [{ kind: "open", client: 1, count: 1, answerer: 0 }] as const;
    this.#proposer.receive("client-1", { type: "propose", segments, forwarded: false }, 0);
    this.#settle();
    return consensusTypes.reduce((sum, type) => sum + this.sent(type), 0);
  }

  /** Frames of that type that the last command took. */
  sent(type: Message["type"]): number {
    return this.#sent.get(type) ?? 0;
  }

  #add(address: Address, role: Pick<Role, "receive">, flush: () => readonly Envelope[]): void {
    this.#roles.set(address, { receive: role.receive.bind(role), flush });
  }

  #settle(): void {
    for (let quiet = false; !quiet; ) {
      quiet = true;
      for (const [from, role] of this.#roles) {
        for (const { to, message } of role.flush()) {
          for (const address of to) this.#deliver(from, address, message);
          quiet = false;
        }
      }
    }
  }

  #deliver(from: Address, to: Address, message: Message): void {
    this.#sent.set(message.type, this.sent(message.type) + 1);
    this.#roles.get(to)?.receive(from, message, 0);
  }
}

const shape = { protocol: "multi-paxos", distinguishedLearner: false, digest: false } as const;
const three = { ...shape, acceptors: 3, learners: 2 };

test("of 3 acceptors and 2 learners: 18, 12, 10 and 14 messages", () => {
  expect(consensusMessages({ ...three, protocol: "basic-paxos" })).toBe(18);
  expect(consensusMessages(three)).toBe(12);
  expect(consensusMessages({ ...three, distinguishedLearner: true })).toBe(10);
  expect(consensusMessages({ ...three, digest: true })).toBe(14);
  expect(consensusMessages({ ...three, digest: true, distinguishedLearner: true })).toBe(11);
});

test("the roles send what the formula says, whatever the shape", () => {
  for (let acceptors = 1; acceptors <= 7; acceptors++) {
    for (let learners = 1; learners <= 4; learners++) {
      for (const protocol of ["basic-paxos", "multi-paxos"] as const) {
        for (const distinguishedLearner of [false, true]) {
          for (const digest of [false, true]) {
            const tried: ConsensusShape = { protocol, acceptors, learners, distinguishedLearner, digest };
            const cluster = new CalmCluster(tried);
            // Basic Paxos chooses the first instance in the ballot that the campaign has prepared.
            cluster.propose();
            for (let command = 0; command < 3; command++) {
              expect(cluster.propose(), JSON.stringify(tried)).toBe(consensusMessages(tried));
              expect(cluster.sent("accept"), JSON.stringify(tried)).toBe(acceptReceivers(tried));
            }
          }
        }
      }
    }
  }
});

const commits = 20;
/** A machine that stalls for long makes the protocol repeat itself: so many runs are looked at for a calm one. */
const runsMax = 8;

test.each([
  ["basic-paxos", 3, 2, 18, 4, 4],
  ["multi-paxos", 3, 2, 12, 2, 2],
  ["batching", 3, 2, 12, 2, 2],
  ["distinguished-learner", 3, 2, 10, 2, 3],
  ["digest", 3, 2, 14, 2, 2],
  ["basic-paxos", 1, 1, 5, 4, 4],
  ["distinguished-learner", 5, 4, 18, 2, 3],
  ["digest", 5, 3, 28, 2, 2],
])(
  "threads: %s with %i acceptors and %i learners takes %i messages, %i delays, %i to all learners",
  async (id, acceptors, learners, messages, delays, delaysAll) => {
    const experiment = experiments.find(row => row.id === id)!;
    const options = {
      clients: 1,
      batch: 1024,
      pipeline: 16,
      acceptors,
      learners,
      threads: "isolated" as const,
      payload: 0,
      seconds: 1,
    };
    for (let attempt = 1; ; attempt++) {
      const run = await traceOneClient(experiment, options, commits);
      if (run.disturbances !== 0 && attempt < runsMax) continue;
      expect(run).toMatchObject({
        disturbances: 0,
        consensusMessagesPerCommit: messages,
        consensusMessagesFormula: messages,
        messageDelays: delays,
        messageDelaysAllLearners: delaysAll,
      });
      return;
    }
  },
);
