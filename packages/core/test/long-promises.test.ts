import { Acceptor, actorAddress, type Envelope, type Message, Proposer, ThresholdQuorums } from "@synod/core";
import { Random } from "@synod/core/testing";
import { describe, expect, it } from "vitest";
import { ballotOf, commands, entryOf } from "./support.js";

const leaseMs = 50;
const delayMs = 5;
const entries = 200;
const topology = { proposers: 3, acceptors: 3, learners: 0 };

/** Proposers that know nothing, and acceptors whose Promises take as many parts as there are entries: 40 leases. */
function untilElected(seed: number): number | undefined {
  const random = new Random(seed);
  const accepted = Array.from({ length: entries }, (_, at) => entryOf(ballotOf(1), at, commands(at + 1, 1)));
  const recovered = {
    promised: ballotOf(1),
    trimmedBelow: 0,
    accepted,
    lease: { ballot: ballotOf(1), until: 0 },
  };
  const bounds = { promisePartBytesMax: 1, fetchBytesMax: 1 };
  const acceptors = [0, 1, 2].map(() => new Acceptor({ topology, leaseMs, bounds }, recovered, 0));
  const proposers = [0, 1, 2].map(
    index =>
      new Proposer({
        topology,
        quorums: new ThresholdQuorums(3),
        index,
        incarnation: 5 + index,
        mode: "multi",
        batch: { commandsMax: 4, bytesMax: 1000, lingerMs: 0, adaptive: false },
        pipeline: { batchesMax: 8 },
        retransmitMs: 25,
        leaseMs,
        distinguishedLearner: false,
        random: () => random.fraction(),
      }),
  );
  const actors = new Map<string, Acceptor | Proposer>([
    ...acceptors.map((acceptor, index) => [actorAddress("acceptor", index), acceptor] as const),
    ...proposers.map((proposer, index) => [actorAddress("proposer", index), proposer] as const),
  ]);
  const underWay: { at: number; from: string; to: string; message: Message }[] = [];
  for (const proposer of proposers) proposer.start(0);
  for (let now = 0; now < 100 * entries * delayMs; now++) {
    while (underWay[0] !== undefined && underWay[0].at <= now) {
      const { from, to, message } = underWay.shift() as (typeof underWay)[number];
      actors.get(to)?.receive(from, message, now);
    }
    for (const [from, actor] of actors) {
      if (actor instanceof Proposer && now >= actor.deadline) actor.tick(now);
      const { send }: { readonly send: readonly Envelope[] } = actor.takeReady(now);
      for (const { to, message } of send) {
        for (const address of to) underWay.push({ at: now + delayMs, from, to: address, message });
      }
    }
    if (proposers.some(({ state }) => state === "leading")) return now;
  }
  return undefined;
}

describe("a Promise of very many parts", () => {
  it.each([1, 2, 3, 4, 5])("is told to its end, although others would like to lead: seed %d", seed => {
    expect(untilElected(seed)).toBeLessThan(3 * 2 * delayMs * entries);
  });
});
