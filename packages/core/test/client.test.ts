import { type Ballot, Client, type Message, type Segment } from "@synod/core";
import { describe, expect, it } from "vitest";

const never = Number.POSITIVE_INFINITY;
const session = 2 ** 32 + 5;
const ballot: Ballot = { round: 3, incarnation: 1, proposer: 1 };

const keepAliveMs = 100_000;

function newClient(windowCommandsMax = 8, retryAfterMs = 200): Client {
  return new Client({
    topology: { proposers: 2, acceptors: 3, learners: 2 },
    client: 7,
    windowCommandsMax,
    leaseMs: 400,
    retryAfterMs,
    retryAfterMsMax: 800,
    keepAliveMs,
    answerer: 0,
    batch: { commandsMax: 8, adaptive: false },
  });
}

function openClient(windowCommandsMax = 8): Client {
  const client = newClient(windowCommandsMax);
  client.open(0);
  client.receive("learner-0", { type: "sessionOpened", session }, 0);
  client.takeReady();
  return client;
}

function submit(client: Client, count: number, now = 0, deadline = never): number {
  return client.submit(new Uint8Array(count), new Array<number>(count).fill(deadline), now);
}

function respond(client: Client, firstSequence: number, results: readonly unknown[], now = 1): void {
  const message: Message = { type: "response", session, firstSequence, results, appliedBelow: session + 9 };
  client.receive("learner-0", message, now);
}

function notLeader(leader: number) {
  return { type: "notLeader", ballot, leader, forwarded: false } as const;
}

/** A leader says that it leads, asked by a probe. */
function ready(
  client: Client,
  proposer: number,
  now: number,
  { incarnation = 1, storageFull = false } = {},
): void {
  const leads = { round: 3, incarnation, proposer };
  const message = { type: "readReady", id: 0, ballot: leads, readBelow: 9, storageFull } as const;
  client.receive(`proposer-${proposer}`, message, now);
}

/** Nobody answers, also when all are asked for a sign of life: what is unanswered is sent to the next proposer. */
function resend(client: Client): void {
  client.tick(100);
  expect(sent(client)).toEqual([probes]);
  client.tick(200);
}

const probes = "proposer-0 proposer-1 read";

/** What was sent, one line each: `proposer-0 commands 1+3`. Of answerers, only others than the first are named. */
function sent(client: Client): string[] {
  const describe = (segment: Segment) => {
    if (!("firstSequence" in segment)) return segment.kind;
    const { kind, firstSequence, count, answerer } = segment;
    return `${kind} ${firstSequence}+${count}${answerer === 0 ? "" : ` to learner-${answerer}`}`;
  };
  return client.takeReady().send.map(({ to, message }) => {
    const segments = message.type === "propose" ? message.segments.map(describe) : [message.type];
    return [...to, ...segments].join(" ");
  });
}

describe("Client", () => {
  it("opens a session, asking again until it has one", () => {
    const client = newClient();
    client.open(0);
    expect(client.room).toBe(0);
    expect(sent(client)).toEqual(["proposer-0 open"]);
    client.tick(100);
    expect(sent(client)).toEqual([probes]);
    client.tick(200);
    expect(sent(client)).toEqual(["proposer-1 open"]);
    client.receive("learner-0", { type: "sessionOpened", session }, 210);
    expect(client.room).toBe(8);
    expect(client.deadline).toBe(210 + keepAliveMs);
    client.receive("learner-0", { type: "sessionOpened", session: session + 1 }, 220);
    expect(client.session).toBe(session);
    expect(sent(client)).toEqual(["proposer-1 close"]);
  });

  it("keeps to its window", () => {
    const client = openClient(4);
    expect(submit(client, 3)).toBe(1);
    expect(client.room).toBe(1);
    expect(() => submit(client, 2)).toThrow("an open session that has room");
    respond(client, 2, ["b"]);
    expect(client.room).toBe(1);
    respond(client, 1, ["a"]);
    expect(client.room).toBe(3);
    expect(submit(client, 3)).toBe(4);
  });

  it("settles each number once, whatever is answered again", () => {
    const client = openClient();
    submit(client, 4);
    respond(client, 2, ["b"]);
    respond(client, 1, ["a", "b", "c"]);
    respond(client, 1, ["a", "b", "c", "d"]);
    expect(client.takeReady().settled).toEqual([
      { firstSequence: 2, results: ["b"] },
      { firstSequence: 1, results: ["a"] },
      { firstSequence: 3, results: ["c"] },
      { firstSequence: 4, results: ["d"] },
    ]);
    expect(client.unanswered).toBe(0);
    expect(client.deadline).toBe(keepAliveMs);
  });

  it("goes where a proposer that does not lead points, once", () => {
    const client = openClient();
    submit(client, 2);
    sent(client);
    client.receive("proposer-0", notLeader(1), 1);
    client.receive("proposer-0", notLeader(1), 2);
    expect(sent(client)).toEqual(["proposer-1 commands 1+2"]);
  });

  it("sends nothing again that was handed on, and follows nobody who knows nobody, nor old news", () => {
    const client = openClient();
    submit(client, 2);
    sent(client);
    client.receive("proposer-0", notLeader(-1), 1);
    expect(sent(client)).toEqual([]);
    client.receive("proposer-0", { ...notLeader(1), forwarded: true }, 2);
    expect(sent(client)).toEqual([]);
    submit(client, 1);
    expect(sent(client)).toEqual(["proposer-1 commands 3+1"]);
    client.receive("proposer-1", { ...notLeader(0), ballot: { ...ballot, round: 2 } }, 3);
    expect(sent(client)).toEqual([]);
  });

  it("waits twice as long for a learner while the leader lives, and then names another one", () => {
    const client = openClient();
    submit(client, 1);
    sent(client);
    client.tick(100);
    expect(sent(client)).toEqual([probes]);
    ready(client, 0, 150);
    client.tick(200);
    expect(sent(client)).toEqual([]);
    client.tick(250);
    expect(sent(client)).toEqual([probes]);
    ready(client, 0, 260);
    client.tick(400);
    expect(sent(client)).toEqual([probes, "proposer-0 commands 1+1 to learner-1"]);
  });

  it("tries another proposer when nobody says that it leads", () => {
    const client = openClient();
    submit(client, 1);
    sent(client);
    client.tick(100);
    client.tick(200);
    expect(sent(client)).toEqual([probes, "proposer-1 commands 1+1"]);
    client.tick(300);
    client.tick(500);
    client.tick(600);
    expect(sent(client)).toEqual([probes, probes, "proposer-0 commands 1+1 to learner-1"]);
  });

  it("asks nobody while it gets answers, or waits for nothing", () => {
    const client = openClient();
    submit(client, 8);
    sent(client);
    for (let now = 90, sequence = 1; sequence <= 8; now += 90, sequence++) {
      client.tick(now);
      respond(client, sequence, ["a"], now);
    }
    client.tick(10_000);
    expect(sent(client)).toEqual([]);
  });

  it("sends what is unanswered to a new leader once, as soon as that one answers a probe", () => {
    const client = openClient();
    submit(client, 2);
    sent(client);
    client.tick(100);
    sent(client);
    ready(client, 1, 120);
    expect(sent(client)).toEqual(["proposer-1 commands 1+2"]);
    ready(client, 1, 121);
    expect(sent(client)).toEqual([]);
    submit(client, 1, 122);
    expect(sent(client)).toEqual(["proposer-1 commands 3+1"]);
    const old = { round: 2, incarnation: 1, proposer: 0 };
    const late = { type: "readReady", id: 0, ballot: old, readBelow: 9, storageFull: false } as const;
    client.receive("proposer-0", late, 123);
    expect(sent(client)).toEqual([]);
  });

  it("follows whoever leads, though an attempt that failed had a higher ballot", () => {
    const client = openClient();
    submit(client, 1);
    client.receive("proposer-1", { ...notLeader(0), ballot: { round: 9, incarnation: 1, proposer: 0 } }, 1);
    sent(client);
    ready(client, 1, 120);
    expect(sent(client)).toEqual(["proposer-1 commands 1+1"]);
  });

  it("sends again to another life of the same leader", () => {
    const client = openClient();
    submit(client, 1);
    sent(client);
    ready(client, 0, 110);
    ready(client, 0, 120);
    expect(sent(client)).toEqual([]);
    ready(client, 0, 130, { incarnation: 2 });
    expect(sent(client)).toEqual(["proposer-0 commands 1+1"]);
  });

  it("sends again to a leader that it knew nothing of for a lease: it may be another life", () => {
    const client = newClient(8, 10_000);
    client.open(0);
    client.receive("learner-0", { type: "sessionOpened", session }, 0);
    submit(client, 1, 1000);
    sent(client);
    ready(client, 0, 1400);
    expect(sent(client)).toEqual(["proposer-0 commands 1+1"]);
  });

  it("says why a deadline has passed", () => {
    const client = openClient();
    const reasons = (deadline: number) => {
      client.tick(deadline);
      const { expired, expiredReads } = client.takeReady();
      return [...expired, ...expiredReads].map(({ reason }) => reason);
    };
    submit(client, 1, 1000, 1090);
    expect(reasons(1090)).toEqual(["timeout"]);
    client.tick(1100);
    submit(client, 1, 1150, 1150);
    client.read(new Uint8Array(), "sequential", 1150, 1150);
    // The probe has not been out for long.
    expect(reasons(1150)).toEqual(["timeout", "timeout"]);
    submit(client, 1, 1150, 1200);
    client.read(new Uint8Array(), "linearizable", 1200, 1150);
    expect(reasons(1200)).toEqual(["noQuorum", "noQuorum"]);
    ready(client, 0, 1210, { storageFull: true });
    submit(client, 1, 1210, 1220);
    expect(reasons(1220)).toEqual(["storageFull"]);
    client.tick(1310);
    submit(client, 1, 1310, 1600);
    // Somebody has led within the last lease.
    expect(reasons(1600)).toEqual(["storageFull"]);
    submit(client, 1, 1600, 1611);
    expect(reasons(1611)).toEqual(["noQuorum"]);
    respond(client, 1, ["a"], 1612);
    submit(client, 1, 1612, 1620);
    expect(reasons(1620)).toEqual(["timeout"]);
  });

  it("keeps its session alive when it has been silent for a while", () => {
    const client = openClient();
    submit(client, 1, 10);
    sent(client);
    respond(client, 1, ["a"], 20);
    client.tick(keepAliveMs);
    expect(sent(client)).toEqual([]);
    client.tick(keepAliveMs + 10);
    // Nobody answers it: it must find the leader without being told who that is.
    expect(sent(client)).toEqual(["proposer-0 keepAlive", "proposer-1 keepAlive"]);
    expect(client.deadline).toBe(2 * keepAliveMs + 10);
  });

  it("goes back to a gap once per life of a proposer and expected number", () => {
    const client = openClient();
    submit(client, 2);
    submit(client, 1);
    sent(client);
    const gap: Message = { type: "sequenceGap", session, expected: 1, ballot };
    client.receive("learner-0", gap, 1);
    expect(sent(client)).toEqual(["proposer-0 commands 1+2", "proposer-0 commands 3+1"]);
    client.receive("learner-1", gap, 2);
    expect(sent(client)).toEqual([]);
    client.receive("learner-1", { ...gap, ballot: { ...ballot, round: 4 } }, 3);
    expect(sent(client)).toEqual([]);
    client.receive("learner-1", { ...gap, ballot: { ...ballot, round: 5, proposer: 0 } }, 4);
    expect(sent(client)).toHaveLength(2);
    client.receive("learner-1", { ...gap, ballot: { ...ballot, round: 6, proposer: 0, incarnation: 2 } }, 5);
    expect(sent(client)).toHaveLength(2);
    respond(client, 1, ["a"]);
    client.receive("learner-1", { ...gap, ballot: { ...ballot, round: 7 } }, 6);
    expect(sent(client)).toEqual([]);
    client.receive("learner-1", { ...gap, expected: 2, ballot: { ...ballot, round: 7 } }, 7);
    expect(sent(client)).toEqual(["proposer-0 commands 2+1", "proposer-0 commands 3+1"]);
  });

  it("fills the numbers of callers that have gone", () => {
    const client = openClient();
    submit(client, 4);
    sent(client);
    client.abandon(2);
    client.abandon(3);
    expect(sent(client)).toEqual([]);
    resend(client);
    expect(sent(client)).toEqual(["proposer-1 commands 1+1 fill 2+2 commands 4+1"]);
    respond(client, 1, ["a", undefined, undefined, "d"]);
    const { settled } = client.takeReady();
    expect(settled.map(({ firstSequence }) => firstSequence)).toEqual([1, 4]);
    expect(client.unanswered).toBe(0);
  });

  it("tells which deadlines have passed, and fills those numbers", () => {
    const client = openClient();
    submit(client, 1, 0, 50);
    submit(client, 1, 0, 70);
    submit(client, 1, 0);
    sent(client);
    expect(client.deadline).toBe(50);
    client.tick(50);
    expect(client.takeReady().expired).toEqual([{ sequence: 1, reason: "timeout" }]);
    expect(client.deadline).toBe(70);
    client.tick(80);
    expect(client.takeReady().expired).toEqual([{ sequence: 2, reason: "timeout" }]);
    resend(client);
    expect(sent(client)).toEqual(["proposer-1 fill 1+1", "proposer-1 fill 2+1", "proposer-1 commands 3+1"]);
  });

  it("waits longer each time nothing happens, up to a bound", () => {
    const client = openClient();
    submit(client, 1);
    sent(client);
    const waits: number[] = [];
    for (let now = 0, before = 0; waits.length < 5; ) {
      now = client.deadline;
      client.tick(now);
      if (sent(client).every(line => line === probes)) continue;
      waits.push(now - before);
      before = now;
    }
    expect(waits).toEqual([200, 400, 800, 800, 800]);
  });

  it("ends with its session", () => {
    const client = openClient();
    submit(client, 1);
    client.receive("learner-0", { type: "sessionExpired", session: session + 1 }, 1);
    expect(client.state).toBe("open");
    client.receive("learner-0", { type: "sessionExpired", session }, 1);
    expect([client.state, client.room]).toEqual(["expired", 0]);
  });
});
