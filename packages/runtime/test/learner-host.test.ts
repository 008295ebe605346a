import type { AcceptedMessage, Envelope, Segment } from "@synod/core";
import { KeyValueStore } from "@synod/runtime/kv";
import { expect, test } from "vitest";
import { monotonicMs } from "../src/clock.js";
import { commandCodec, valueCodec } from "../src/command-codec.js";
import { StateMachineEngine } from "../src/engine.js";
import { LearnerHost } from "../src/learner-host.js";
import { routine } from "../src/mailbox/index.js";
import { ActorMetrics } from "../src/metrics/actor-metrics.js";
import { resolveOptions } from "../src/options.js";
import { createSnapshotRegion } from "../src/snapshots/snapshot-region.js";

const ballot = { round: 1, incarnation: 1, proposer: 0 };

function learnerHost(): LearnerHost {
  const spec = {
    role: "learner" as const,
    index: 1,
    incarnation: 1,
    topology: { proposers: 2, acceptors: 3, learners: 2 },
    options: resolveOptions({ stateMachine: KeyValueStore }),
    stateMachine: { url: KeyValueStore.moduleUrl, export: "default", options: undefined },
    snapshotRegions: [createSnapshotRegion(4096), createSnapshotRegion(4096)],
  };
  const engine = new StateMachineEngine(new KeyValueStore());
  return new LearnerHost(spec, engine, new ActorMetrics(), undefined, () => undefined);
}

const open: Segment = { kind: "open", client: 1, count: 1, answerer: 0 };

/** Of client 1, whom the other learner answers. */
function commands(value: number): Segment {
  const bytes = commandCodec.encode([{ op: "set", key: "a", value }]);
  const sequence = { session: 0, firstSequence: value, acknowledgedBelow: 0 };
  return { kind: "commands", client: 1, ...sequence, count: 1, skip: 0, answerer: 0, bytes };
}

function accepted(firstInstance: number, segment: Segment): AcceptedMessage {
  const batch = { timeMs: 1, count: 1, segments: [segment] };
  const told = { source: null, leaseUntil: 0, distinguished: -1 } as const;
  return { type: "accepted", ballot, firstInstance, count: 1, batch, ...told };
}

function vote(host: LearnerHost, firstInstance: number, segment: Segment): void {
  for (const acceptor of ["acceptor-0", "acceptor-1"])
    host.receive(acceptor, accepted(firstInstance, segment), monotonicMs());
}

function ask(host: LearnerHost, appliedBelow: number): void {
  const bytes = valueCodec.encode({ op: "get", key: "a" });
  host.receive("client-2", { type: "query", id: 7, appliedBelow, bytes }, monotonicMs());
}

const answers = (send: readonly Envelope[]): unknown[] =>
  send.flatMap(({ message }) => (message.type === "answer" ? [message.result] : []));

test("a query is answered when all mail is read that came with it, in whatever order", () => {
  const host = learnerHost();
  vote(host, 0, open);
  ask(host, 0);
  vote(host, 1, commands(1));
  vote(host, 2, commands(2));
  expect(answers(host.flush(monotonicMs()))).toEqual([2]);
  ask(host, 0);
  expect(answers(host.flush(monotonicMs()))).toEqual([2]);
});

test("it sleeps through what others are to answer, unless somebody waits for it here", () => {
  const host = learnerHost();
  const sleepsThrough = () => (host.unhurried & routine.silent) !== 0;
  expect(sleepsThrough()).toBe(true);
  ask(host, 2);
  expect(sleepsThrough(), "a question has come").toBe(false);
  expect(answers(host.flush(monotonicMs()))).toEqual([]);
  expect(sleepsThrough(), "it waits for two instances").toBe(false);
  vote(host, 0, open);
  vote(host, 1, commands(1));
  expect(answers(host.flush(monotonicMs()))).toEqual([1]);
  expect(sleepsThrough()).toBe(true);
  vote(host, 3, commands(3));
  host.flush(monotonicMs());
  expect(sleepsThrough(), "what comes before was lost on the way").toBe(false);
  vote(host, 2, commands(2));
  host.flush(monotonicMs());
  expect(sleepsThrough()).toBe(true);
  host.receive("replica-1", { type: "follow", appliedBelow: 0, feed: true }, monotonicMs());
  expect(sleepsThrough(), "a replica is fed from here").toBe(false);
});
