import { addressesOf } from "@synod/core";
import type { SentFrame } from "@synod/runtime";
import { expect, test } from "vitest";
import { countFrames, type RecordedFrame } from "../dist/message-groups.js";
import { type ChartPart, renderChart } from "../dist/sequence-chart.js";
import { renderCounts } from "../dist/traced-instances.js";

/** What each test draws is in the folder charts, to be read. */
const drawn = (name: string): string => `./charts/${name}.txt`;

/** Makes frames as actors would record them, each a millisecond after the one before it. */
class Script {
  readonly frames: RecordedFrame[] = [];
  readonly acceptors: readonly string[];
  readonly learners: readonly string[];
  readonly #proposers: number;

  constructor(shape: { proposers?: number; acceptors: number; learners: number }) {
    this.#proposers = shape.proposers ?? 1;
    this.acceptors = addressesOf("acceptor", shape.acceptors);
    this.learners = addressesOf("learner", shape.learners);
  }

  get columns() {
    return [
      { title: "Client", actors: ["client-1"] },
      { title: "Proposer", actors: addressesOf("proposer", this.#proposers) },
      { title: "Acceptors", actors: this.acceptors },
      { title: "Learners", actors: this.learners },
    ];
  }

  send(
    type: SentFrame["type"],
    from: string | readonly string[],
    to: readonly string[],
    fields: Partial<SentFrame> = {},
  ): this {
    const nothing = { ballot: null, firstInstance: null, count: 0, depth: 0 };
    for (const sender of [from].flat()) {
      const atMs = this.frames.length;
      for (const receiver of to) {
        this.frames.push({ atMs, from: sender, to: receiver, type, ...nothing, ...fields });
      }
    }
    return this;
  }

  phaseOne(ballot: string, firstInstance: number): this {
    const fields = { ballot, firstInstance };
    return this.send("prepare", "proposer-0", this.acceptors, { ...fields, depth: 1 }).send(
      "promise",
      this.acceptors,
      ["proposer-0"],
      { ...fields, depth: 2 },
    );
  }

  phaseTwo(ballot: string, firstInstance: number, count: number, depth: number): this {
    const fields = { ballot, firstInstance, count };
    return this.send("accept", "proposer-0", this.acceptors, { ...fields, depth }).send(
      "accepted",
      this.acceptors,
      [...this.learners, "proposer-0"],
      { ...fields, depth: depth + 1 },
    );
  }

  /** A part of all frames since the last one. */
  part(note: string, firstInstance: number, count = 1): ChartPart {
    const frames = this.frames.splice(0);
    return { note, firstInstance, count, frames };
  }
}

function basicPaxos(acceptors: number, learners: number): { script: Script; part: ChartPart } {
  const script = new Script({ acceptors, learners });
  script.send("propose", "client-1", ["proposer-0"], { count: 1 });
  script.phaseOne("2.1.0", 1).phaseTwo("2.1.0", 1, 1, 3);
  script.send("response", script.learners.at(-1) ?? "", ["client-1"], { count: 1 });
  return { script, part: script.part("instance 1", 1) };
}

test.each([
  [1, 1],
  [3, 2],
  [7, 4],
])("Basic Paxos with %i acceptors and %i learners", async (acceptors, learners) => {
  const { script, part } = basicPaxos(acceptors, learners);
  const chart = renderChart(script.columns, [part]);
  await expect(`${chart}\n`).toMatchFileSnapshot(drawn(`basic-paxos-${acceptors}-${learners}`));
  const consensus = 3 * acceptors + acceptors * (learners + 1);
  expect(countFrames(part.frames)).toEqual({ consensus, again: 0, request: 1, forwarding: 0, response: 1 });
});

test("Multi-Paxos: phase 1, an instance, a batch", async () => {
  const script = new Script({ acceptors: 3, learners: 2 });
  const parts = [script.phaseOne("1.1.0", 0).part("phase 1, once for all instances", 0)];
  for (const [first, count, note] of [
    [1, 1, "instance 1"],
    [2, 3, "instances 2 to 4, one batch"],
  ] as const) {
    script.send("propose", "client-1", ["proposer-0"], { count }).phaseTwo("1.1.0", first, count, 1);
    script.send("response", "learner-0", ["client-1"], { count });
    parts.push(script.part(note, first, count));
  }
  const protocol = "multi-paxos" as const;
  const counts = renderCounts(
    parts.map((part, index) => ({
      ...part,
      protocol,
      messageDelays: index === 0 ? null : 2,
      messageDelaysAllLearners: index === 0 ? null : 2,
    })),
  );
  await expect(`${renderChart(script.columns, parts)}\n\n${counts}\n`).toMatchFileSnapshot(
    drawn("multi-paxos"),
  );
});

test("with a distinguished learner and digests: Accept to that learner, hashes, Chosen", async () => {
  const script = new Script({ acceptors: 3, learners: 3 });
  const [distinguished = "", ...others] = script.learners;
  const batch = { ballot: "1.1.0", firstInstance: 1, count: 2 };
  script
    .send("propose", "client-1", ["proposer-0"], { count: 2 })
    .send("accept", "proposer-0", [...script.acceptors, distinguished], { ...batch, depth: 1 })
    .send("accepted", script.acceptors, [distinguished, "proposer-0"], { ...batch, depth: 2 })
    .send("chosen", distinguished, others, { ...batch, depth: 3 })
    .send("response", distinguished, ["client-1"], { count: 2 });
  const part = { ...script.part("instances 1 to 2, one batch", 1, 2), isHashed: true };
  const counts = { protocol: "multi-paxos", messageDelays: 2, messageDelaysAllLearners: 3 } as const;
  const text = `${renderChart(script.columns, [part])}\n\n${renderCounts([{ ...part, ...counts }])}\n`;
  await expect(text).toMatchFileSnapshot(drawn("distinguished-learner-digest"));
  expect(countFrames(part.frames)).toMatchObject({ consensus: 12, again: 0 });
});

test("what goes wrong is drawn, and what flows with time is not", async () => {
  const script = new Script({ proposers: 2, acceptors: 3, learners: 2 });
  const [first = "", second = "", third = ""] = script.acceptors;
  const ballot = { ballot: "4.2.0", firstInstance: 7 };
  const vote = { ...ballot, count: 1, depth: 4 };
  const unknown = "heartbeat" as unknown as SentFrame["type"];
  script
    .send("propose", "client-1", ["proposer-1"], { count: 1 })
    .send("propose", "proposer-1", ["proposer-0"], { count: 1 })
    .send("prepare", "proposer-0", script.acceptors, { ...ballot, depth: 1 })
    .send("promise", first, ["proposer-0"], { ...ballot, depth: 2 })
    .send("promise", third, ["proposer-0"], { ...ballot, count: 2, depth: 2 })
    .send("progress", script.learners, ["proposer-0"])
    .send(unknown, "proposer-0", script.acceptors, { ballot: "4.2.0" })
    .send("accept", "proposer-0", script.acceptors, { ...ballot, count: 1, depth: 3 })
    .send("accepted", first, [...script.learners, "proposer-0"], vote)
    .send("refuse", second, ["proposer-0"], { ballot: "4.2.0" })
    .send("accept", "proposer-0", script.acceptors, { ...ballot, count: 1, depth: 5 })
    .send("accepted", first, [...script.learners, "proposer-0"], { ...vote, depth: 6 })
    .send("accepted", third, [...script.learners, "proposer-0"], { ...vote, depth: 6 })
    .send("fetch", "learner-1", script.acceptors, { firstInstance: 7 })
    .send("response", "learner-0", ["client-1"], { count: 1 });
  const part = script.part("instance 7", 7);
  const protocol = "multi-paxos" as const;
  const counts = renderCounts([{ ...part, protocol, messageDelays: 6, messageDelaysAllLearners: 6 }]);
  const text = `${renderChart(script.columns, [part])}\n\n${counts}\n`;
  await expect(text).toMatchFileSnapshot(drawn("trouble"));
  expect(text).not.toMatch(/progress|heartbeat/i);
});
