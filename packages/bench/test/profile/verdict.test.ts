import { describe, expect, test } from "vitest";
import { stages as allStages, type StageReport, stageParts } from "../../dist/profile/stage-times.js";
import { type Evidence, type ThreadEvidence, verdictOf } from "../../dist/profile/verdict.js";

const idle = { busy: 0.1, onCore: 0.1, withoutCore: 0 } as const;

function thread(name: string, figures: Partial<ThreadEvidence> = {}): ThreadEvidence {
  const role = name === "client" ? "client" : (name.replace(/-\d+$/, "") as ThreadEvidence["role"]);
  return { name, role, ...idle, hottest: undefined, ...figures };
}

/** Stages of a millisecond each, but for those given by their places. */
function stagesOf(meansMs: Readonly<Record<number, number>> = {}, samples = 100): StageReport {
  const figures = (meanMs: number) => ({ meanMs, p50Ms: meanMs, p99Ms: meanMs });
  const stages = allStages.map((stage, index) => ({ ...stage, ...figures(meansMs[index] ?? 1) }));
  const parts = stageParts.map(part => ({ part, ...figures(1), hopMeanMs: 0, workMeanMs: 1 }));
  const whole = figures(stages.reduce((sum, { meanMs }) => sum + meanMs, 0));
  return { samples, stages, parts, whole };
}

function evidence(threads: readonly ThreadEvidence[], figures: Partial<Evidence> = {}): Evidence {
  const machine = { cores: 8, callers: 256, idleShare: 0.5, processCores: 1, commits: 1000 };
  return { threads, ...machine, stages: stagesOf(), ...figures };
}

const apply = { name: "apply", place: "src/store.mjs:12", owner: "program", share: 0.41 } as const;

describe("a thread that hardly waits", () => {
  test("a learner: the line of the state machine", () => {
    const threads = [
      thread("client"),
      thread("learner-0", { busy: 0.97, hottest: apply }),
      thread("learner-1"),
    ];
    expect(verdictOf(evidence(threads))).toEqual({
      bound: "thread",
      threads: ["learner-0"],
      text:
        "Throughput is bound by learner-0, which is busy 97 % of the time, 41 % of that in apply() of your state " +
        "machine at src/store.mjs:12.",
    });
  });

  test("those of its role that are as busy are named with it, others are not", () => {
    const hottest = { name: "#place", place: "src/shared.ts:4", owner: "synod", share: 0.9 } as const;
    const acceptors = [0, 1, 2].map(index =>
      thread(`acceptor-${index}`, { busy: 0.9 + index / 100, hottest }),
    );
    const verdict = verdictOf(evidence([thread("client", { busy: 0.9 }), ...acceptors]));
    expect(verdict.threads).toEqual(["acceptor-2", "acceptor-0", "acceptor-1"]);
    expect(verdict.text).toContain(
      "acceptor-2, which is busy 92 % of the time (so are acceptor-0 and acceptor-1)",
    );
    expect(verdict.text).toContain("90 % of that in #place() of Synod at src/shared.ts:4");
  });

  test("the client's thread: whose line it is", () => {
    const busy = (owner: "program" | "package msgpackr") =>
      verdictOf(evidence([thread("client", { busy: 0.9, hottest: { ...apply, owner } })])).text;
    expect(busy("program")).toContain("the client's thread, which is busy 90 % of the time, 41 % of that");
    expect(busy("program")).toContain("in apply() of your program at src/store.mjs:12");
    expect(busy("package msgpackr")).toContain("of the package msgpackr at");
  });

  test("comes before full cores", () => {
    const full = { cores: 2, idleShare: 0, processCores: 2 };
    expect(verdictOf(evidence([thread("learner-0", { busy: 0.8 })], full)).bound).toBe("thread");
  });
});

describe("cores that are all taken", () => {
  const threads = [
    thread("client", { busy: 0.6, onCore: 0.5, withoutCore: 0.3, hottest: { ...apply, name: "send" } }),
    thread("learner-0", { busy: 0.7, onCore: 0.3, withoutCore: 0.3 }),
  ];
  const full = { cores: 2, idleShare: 0.02, processCores: 1.7 };

  test("who takes the most of them, by the machine's clock", () => {
    const verdict = verdictOf(evidence(threads, full));
    expect(verdict).toMatchObject({ bound: "cores", threads: ["client"] });
    expect(verdict.text).toContain(
      "bound by the 2 cores of this machine, which are all busy: this process takes 1.7",
    );
    expect(verdict.text).toContain(
      "The most of it, 63 %, goes to the client's thread, 41 % of that in send()",
    );
    expect(verdict.text).toContain("they had no core for 43 %");
  });

  test("not when other programs take them, nor with one call at a time", () => {
    expect(verdictOf(evidence(threads, { ...full, processCores: 0.4 })).bound).toBe("latency");
    expect(verdictOf(evidence(threads, { ...full, callers: 1 })).bound).toBe("latency");
    expect(verdictOf(evidence(threads, { ...full, idleShare: 0.5 })).bound).toBe("latency");
  });
});

describe("nobody is busy", () => {
  test("the longest hop", () => {
    const threads = [thread("client", { busy: 0.2 }), thread("learner-0")];
    const verdict = verdictOf(evidence(threads, { callers: 1, stages: stagesOf({ 3: 12 }) }));
    expect(verdict).toEqual({
      bound: "latency",
      threads: [],
      text:
        "Nobody is busy; the client's thread is the busiest, 20 % of the time. One commit takes 20.0 ms and waits " +
        "75 % of that for 4 hops between threads; the longest is from the proposer to the acceptors, 12.0 ms.",
    });
  });

  test("a stage that is longer than any hop", () => {
    const { text } = verdictOf(evidence([thread("client")], { stages: stagesOf({ 0: 5 }) }));
    expect(text).toContain("but the longest stage is the client's queue, 5,000 us");
  });

  test("without a single sample it says so", () => {
    const { text } = verdictOf(evidence([thread("client")], { stages: stagesOf({}, 0) }));
    expect(text).toContain("No command was timed from end to end");
  });
});

test("a machine that does not tell the time of threads is no trouble", () => {
  const unknown = { onCore: null, withoutCore: null };
  const { text } = verdictOf(
    evidence([thread("client", { ...unknown, busy: 0.6 })], { cores: 1, idleShare: 0, processCores: 1 }),
  );
  expect(text).toContain("The most of it, 100 %, goes to the client's thread");
  expect(text).not.toContain("no core");
});

test("without a commit nothing is concluded, however busy a thread was", () => {
  const threads = [thread("client", { busy: 1, hottest: apply }), thread("learner-0")];
  const { bound, text } = verdictOf(evidence(threads, { commits: 0 }));
  expect([bound, text]).toEqual(["unknown", expect.stringContaining("Nothing was committed")]);
});
