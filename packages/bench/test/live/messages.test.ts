import type { Inspection, SentFrame } from "@synod/runtime";
import { messageTypes } from "@synod/runtime/internal";
import { expect, test } from "vitest";
import type { Cast } from "../../dist/live/message-kinds.js";
import { castOf, chartOfRates, rateText } from "../../dist/live/message-rates.js";
import { chartOfTrace, momentText } from "../../dist/live/message-trace.js";
import { layOutSequence } from "../../dist/live/page/sequence-layout.js";

type Sent = Partial<Record<SentFrame["type"], number>>;

const cast: Cast = {
  clients: ["client-1"],
  proposers: ["proposer-0", "proposer-1"],
  acceptors: ["acceptor-0", "acceptor-1", "acceptor-2"],
  learners: ["learner-0", "learner-1"],
  leader: "proposer-0",
};

function inspection(name: string, sent: Sent, trace: readonly SentFrame[] = []): Inspection {
  const counted = messageTypes.map(type => [type, { frames: sent[type] ?? 0, bytes: 0 }]);
  return {
    name,
    role: name.slice(0, name.indexOf("-")) as Inspection["role"],
    sent: Object.fromEntries(counted) as Inspection["sent"],
    wakeUps: 0,
    lostWakeUps: 0,
    droppedFrames: 0,
    trace,
    ...(name.startsWith("learner") ? { appliedBelow: 8 } : {}),
  };
}

test("rates: a line for each kind that was sent, from those whose counters moved to those it is for", () => {
  const before = [
    inspection("proposer-0", { accept: 100, heartbeat: 10 }),
    inspection("acceptor-0", { accepted: 50 }),
    inspection("acceptor-1", { accepted: 50 }),
    inspection("client-1", { propose: 5 }),
  ];
  const after = [
    inspection("proposer-0", { accept: 160, heartbeat: 10 }),
    // Its thread was replaced, and counts from 0 again.
    inspection("acceptor-0", { accepted: 20 }),
    inspection("acceptor-1", { accepted: 50 }),
    inspection("client-1", { propose: 9 }),
  ];
  const chart = chartOfRates({ atMs: 1000, inspections: before }, { atMs: 3000, inspections: after }, cast);
  expect(chart.rows).toEqual([
    { label: "Request", tone: "client", from: ["client-1"], to: ["proposer-0"], figure: "2.0/s" },
    { label: "Accept", tone: "consensus", from: ["proposer-0"], to: cast.acceptors, figure: "30/s" },
    {
      label: "Accepted",
      tone: "consensus",
      from: ["acceptor-0"],
      to: ["proposer-0", "learner-0", "learner-1"],
      figure: "10/s",
    },
  ]);
});

test("rates: what proposers forward is another line than what clients ask, and nobody sends to himself", () => {
  const nothing = { atMs: 0, inspections: [] };
  const after = [inspection("client-1", { propose: 1 }), inspection("proposer-0", { heartbeat: 1 })];
  const { rows } = chartOfRates(nothing, { atMs: 1000, inspections: after }, { ...cast, leader: null });
  expect(rows.map(({ label }) => label)).toEqual(["Request", "Heartbeat"]);
  expect(rows[0]?.to).toEqual(["proposer-0", "proposer-1"]);
  expect(rows[1]?.to).toEqual(["proposer-1", ...cast.acceptors]);
  const forwarded = [inspection("proposer-1", { propose: 3 })];
  expect(chartOfRates(nothing, { atMs: 1000, inspections: forwarded }, cast).rows).toMatchObject([
    { label: "Forward", from: ["proposer-1"], to: ["proposer-0"] },
  ]);
});

const frame = (atMs: number, to: string, fields: Partial<SentFrame>): SentFrame => ({
  atMs,
  to,
  type: "accept",
  ballot: "2.5.0",
  firstInstance: 7,
  count: 1,
  depth: 1,
  ...fields,
});

/** An election, instance 7 as it should be, and instance 8 under way. */
function tracedRun(): Inspection[] {
  const outside = { ballot: null, firstInstance: null, depth: 0 } as const;
  const prepare = { type: "prepare", firstInstance: 7, count: 0 } as const;
  const accept = cast.acceptors.flatMap(to => [
    frame(1, to, prepare),
    frame(10, to, {}),
    frame(30, to, { firstInstance: 8 }),
  ]);
  const acceptor = (name: string, at: number) =>
    inspection(name, {}, [
      frame(1 + at, "proposer-0", { type: "promise", count: 0, depth: 2 }),
      ...["proposer-0", ...cast.learners].map(to => frame(10 + at, to, { type: "accepted", depth: 2 })),
    ]);
  return [
    inspection("client-1", {}, [
      frame(9, "proposer-0", { type: "propose", ...outside }),
      frame(29, "proposer-0", { type: "propose", ...outside }),
    ]),
    inspection("proposer-0", {}, accept),
    ...cast.acceptors.map((name, at) => acceptor(name, (at + 1) / 4)),
    inspection("learner-0", {}, [frame(12, "client-1", { type: "response", ...outside })]),
    inspection("learner-1", {}),
  ];
}

test("a trace: the latest instance that all learners have applied, after the election", () => {
  const inspections = tracedRun();
  const chart = chartOfTrace(inspections, castOf(inspections, "proposer-0"));
  expect(chart?.note).toContain("Instance 7,");
  expect(chart?.rows.map(({ label, figure }) => [label, figure])).toEqual([
    ["Prepare(2.5.0, from 7)", "-9.0 ms"],
    ["Promise(2.5.0, from 7, {null,null,null})", "-8.8 ms"],
    ["Request(V7)", "-1.0 ms"],
    ["Accept(2.5.0, 7, V7)", "0"],
    ["Accepted(2.5.0, 7, V7)", "+250 µs"],
    ["Response", "+2.0 ms"],
  ]);
  expect(chart?.rows[4]).toMatchObject({
    tone: "consensus",
    from: cast.acceptors,
    to: ["learner-0", "learner-1", "proposer-0"],
  });
});

test("a trace without a whole instance draws nothing", () => {
  const inspections = tracedRun().map(one => (one.role === "learner" ? { ...one, appliedBelow: 7 } : one));
  expect(chartOfTrace(inspections, cast)).toBeNull();
});

test("the layout: an arrow from each sender to each receiver, downwards, between the lifelines", () => {
  const columns = [
    { title: "Client", actors: [] },
    { title: "Proposers", actors: ["proposer-0"] },
    { title: "Acceptors", actors: ["acceptor-0", "acceptor-1"] },
  ];
  const rows = [
    {
      label: "Accept",
      tone: "consensus",
      from: ["proposer-0"],
      to: ["acceptor-0", "acceptor-1"],
      figure: "",
    },
    { label: "Granted", tone: "lease", from: ["acceptor-0", "gone-1"], to: ["proposer-0"], figure: "" },
  ] as const;
  const drawn = layOutSequence({ columns, rows, note: "" });
  expect(drawn.lifelines.map(({ short }) => short)).toEqual(["p0", "a0", "a1"]);
  const [p0, a0, a1] = drawn.lifelines.map(({ x }) => x);
  expect(drawn.rows.map(({ arrows }) => arrows.map(({ start, end }) => [start.x, end.x]))).toEqual([
    [
      [p0, a0],
      [p0, a1],
    ],
    [[a0, p0]],
  ]);
  for (const { arrows } of drawn.rows)
    for (const { start, end } of arrows) expect(end.y).toBeGreaterThan(start.y);
  expect(drawn.rows[1]?.senders).toHaveLength(1);
  expect(drawn.titles.map(({ text }) => text)).toEqual(["Proposers", "Acceptors"]);
});

test("figures have three digits", () => {
  expect([0.04, 4.25, 42.4, 999.6, 41_234, 1_234_567].map(rateText)).toEqual([
    "0.0",
    "4.3",
    "42",
    "1,000",
    "41,200",
    "1,230,000",
  ]);
  expect([0, 0.1234, -0.5, 12.34, -4200].map(momentText)).toEqual([
    "0",
    "+123 µs",
    "-500 µs",
    "+12.3 ms",
    "-4.2 s",
  ]);
});
