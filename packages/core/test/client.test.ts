import { type Ballot, Client, type Message, type Segment } from "@synod/core";
import { describe, expect, it } from "vitest";

const never = Number.POSITIVE_INFINITY;
const session = 2 ** 32 + 5;
const ballot: Ballot = { round: 3, incarnation: 1, proposer: 1 };

const keepAliveMs = 100_000;

function newClient(windowCommandsMax = 8): Client {
  return new Client({
    topology: { proposers: 2, acceptors: 3, learners: 2 },
    client: 7,
    windowCommandsMax,
    retryAfterMs: 100,
    retryAfterMsMax: 400,
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

/** The leader is silent, also when it is asked for a sign of life: what is unanswered is sent to the next one. */
function resend(client: Client): void {
  client.tick(100);
  expect(sent(client)).toEqual(["proposer-0 read"]);
  client.tick(200);
}

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
    expect(sent(client)).toEqual(["proposer-1 open"]);
    client.receive("learner-0", { type: "sessionOpened", session }, 110);
    expect(client.room).toBe(8);
    expect(client.deadline).toBe(110 + keepAliveMs);
    client.receive("learner-0", { type: "sessionOpened", session: session + 1 }, 120);
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

  it("asks the leader for a sign of life before it sends anything again", () => {
    const client = openClient();
    submit(client, 1);
    sent(client);
    client.tick(100);
    expect(sent(client)).toEqual(["proposer-0 read"]);
    client.receive("proposer-0", { type: "readReady", id: 0, readBelow: 9, storageFull: false }, 150);
    client.tick(200);
    expect(sent(client)).toEqual(["proposer-0 commands 1+1 to learner-1"]);
    client.tick(400);
    expect(sent(client)).toEqual(["proposer-0 read"]);
    client.tick(600);
    expect(sent(client)).toEqual(["proposer-1 commands 1+1"]);
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
    expect(client.takeReady().expired).toEqual([1]);
    expect(client.deadline).toBe(70);
    client.tick(80);
    expect(client.takeReady().expired).toEqual([2]);
    resend(client);
    expect(sent(client)).toEqual(["proposer-1 fill 1+1", "proposer-1 fill 2+1", "proposer-1 commands 3+1"]);
  });

  it("waits longer each time nothing happens, up to a bound", () => {
    const client = openClient();
    submit(client, 1);
    const waits: number[] = [];
    for (let now = 0, tries = 0; tries < 8; tries++) {
      waits.push(client.deadline - now);
      now = client.deadline;
      client.tick(now);
    }
    expect(waits).toEqual([100, 100, 200, 200, 400, 400, 400, 400]);
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
