import { type Ballot, Client, type Message, type Segment } from "@synod/core";
import { describe, expect, it } from "vitest";

const never = Number.POSITIVE_INFINITY;
const session = 2 ** 32 + 5;
const ballot: Ballot = { round: 3, incarnation: 1, proposer: 1 };

function openClient(windowCommandsMax = 8): Client {
  const client = new Client({
    topology: { proposers: 2, acceptors: 3, learners: 2 },
    client: 7,
    windowCommandsMax,
    retryAfterMs: 100,
    retryAfterMsMax: 400,
    answerer: 0,
  });
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

/** What was sent, one line each: `proposer-0 commands 1+3`. */
function sent(client: Client): string[] {
  const describe = (segment: Segment) =>
    "firstSequence" in segment ? `${segment.kind} ${segment.firstSequence}+${segment.count}` : segment.kind;
  return client.takeReady().send.map(({ to, message }) => {
    const segments = message.type === "propose" ? message.segments.map(describe) : [message.type];
    return [...to, ...segments].join(" ");
  });
}

describe("Client", () => {
  it("opens a session, asking again until it has one", () => {
    const client = new Client({
      topology: { proposers: 2, acceptors: 3, learners: 2 },
      client: 7,
      windowCommandsMax: 8,
      retryAfterMs: 100,
      retryAfterMsMax: 400,
      answerer: 0,
    });
    client.open(0);
    expect(client.room).toBe(0);
    expect(sent(client)).toEqual(["proposer-0 open"]);
    client.tick(100);
    expect(sent(client)).toEqual(["proposer-1 open"]);
    client.receive("learner-0", { type: "sessionOpened", session }, 110);
    expect(client.room).toBe(8);
    expect(client.deadline).toBe(never);
    client.receive("learner-0", { type: "sessionOpened", session: session + 1 }, 120);
    expect(client.session).toBe(session);
    expect(sent(client)).toEqual(["proposer-1 close"]);
  });

  it("keeps to its window", () => {
    const client = openClient(4);
    expect(submit(client, 3)).toBe(1);
    expect(client.room).toBe(1);
    expect(() => submit(client, 2)).toThrow("a submission fits into the window");
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
    expect(client.deadline).toBe(never);
  });

  it("goes where a proposer that does not lead points, once", () => {
    const client = openClient();
    submit(client, 2);
    sent(client);
    client.receive("proposer-0", { type: "notLeader", ballot }, 1);
    client.receive("proposer-0", { type: "notLeader", ballot }, 2);
    expect(sent(client)).toEqual(["proposer-1 commands 1+2"]);
  });

  it("goes back to a gap once per ballot and expected number", () => {
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
    expect(sent(client)).toHaveLength(2);
    respond(client, 1, ["a", "b"]);
    client.receive("learner-1", { ...gap, ballot: { ...ballot, round: 5 } }, 4);
    expect(sent(client)).toEqual([]);
  });

  it("fills the numbers of callers that have gone", () => {
    const client = openClient();
    submit(client, 4);
    sent(client);
    client.abandon(2);
    client.abandon(3);
    expect(sent(client)).toEqual([]);
    client.tick(100);
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
    client.tick(100);
    expect(sent(client)).toEqual(["proposer-1 fill 1+1", "proposer-1 fill 2+1", "proposer-1 commands 3+1"]);
  });

  it("waits longer each time nothing happens, up to a bound", () => {
    const client = openClient();
    submit(client, 1);
    const waits: number[] = [];
    for (let now = 0, tries = 0; tries < 5; tries++) {
      waits.push(client.deadline - now);
      now = client.deadline;
      client.tick(now);
    }
    expect(waits).toEqual([100, 200, 400, 400, 400]);
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
