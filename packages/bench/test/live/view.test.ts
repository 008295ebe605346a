import { noBallot } from "@synod/core";
import type { ClusterStatus } from "@synod/runtime";
import { expect, test } from "vitest";
import { actorsOf, happeningsBetween } from "../../dist/live/view.js";

type Actor = ClusterStatus["actors"][number];

const mailbox = {
  depthBytes: 700,
  depthBytesMax: 900,
  frames: 1,
  bytes: 2,
  wakeUps: 3,
  lostWakeUps: 0,
  droppedFrames: 0,
};

function actor(name: string, fields: Partial<Actor>): Actor {
  return {
    name,
    role: name.slice(0, name.indexOf("-")) as Actor["role"],
    thread: name,
    state: "following",
    incarnation: 1,
    restarts: 0,
    lastEnd: null,
    lostWakeUps: 0,
    ...fields,
  };
}

test("an actor is shown with what it knows, and what it does not know is null", () => {
  const actors = [
    actor("proposer-0", {
      state: "leading",
      ballot: { round: 3, incarnation: 7, proposer: 0 },
      chosenBelow: 12,
      appliedBelow: null,
      mailbox,
    }),
    actor("acceptor-1", { state: "restarting", restarts: 2, lastEnd: "killed" }),
    actor("learner-0", { state: "learning", ballot: noBallot, chosenBelow: 11, appliedBelow: 10, mailbox }),
  ];
  expect(actorsOf({ actors, leader: "proposer-0" })).toEqual([
    {
      name: "proposer-0",
      role: "proposer",
      thread: "proposer-0",
      state: "leading",
      leads: true,
      ballot: "3.7.0",
      chosenBelow: 12,
      appliedBelow: null,
      mailboxBytes: 700,
      restarts: 0,
      lastEnd: null,
    },
    expect.objectContaining({
      name: "acceptor-1",
      leads: false,
      state: "restarting",
      ballot: null,
      chosenBelow: null,
      mailboxBytes: null,
      restarts: 2,
      lastEnd: "killed",
    }),
    expect.objectContaining({ ballot: null, chosenBelow: 11, appliedBelow: 10 }),
  ]);
});

test("who stops answering, and who answers again, is told once; what events tell is not told again", () => {
  const look = (first: string, second: string) =>
    actorsOf({
      actors: [actor("acceptor-0", { state: first }), actor("acceptor-1", { state: second })],
      leader: null,
    });
  const calm = look("accepting", "accepting");
  const stalled = look("accepting", "unresponsive");
  expect(happeningsBetween(calm, stalled)).toEqual([
    { kind: "silent", text: "acceptor-1 does not answer: its thread stands still" },
  ]);
  expect(happeningsBetween(stalled, stalled)).toEqual([]);
  expect(happeningsBetween(stalled, calm)).toEqual([{ kind: "up", text: "acceptor-1 answers again" }]);
  expect(happeningsBetween(stalled, look("accepting", "restarting"))).toEqual([]);
  expect(happeningsBetween(calm, look("restarting", "accepting"))).toEqual([]);
  expect(happeningsBetween([], stalled)).toEqual([]);
});
