import type { AppliedAt } from "@synod/runtime";
import { Locks, type LocksCommand, type LocksResult } from "@synod/runtime/locks";
import { checkStateMachine } from "@synod/runtime/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { agreesWithModel, Log, seed } from "./support.js";

const names = ["a", "b"];
const owners = ["ann", "bob", "cid"];

/** Keeps everything that was ever granted, and looks through all of it. */
class Model {
  readonly grants: { name: string; owner: string; token: number; untilMs: number }[] = [];

  apply(command: LocksCommand, { instance, timeMs }: AppliedAt): LocksResult {
    const { name } = command;
    const held = this.held(name, timeMs);
    const isHolder = command.op === "acquire" ? held?.owner === command.owner : held?.token === command.token;
    if (held !== undefined && !isHolder)
      return { held: false, owner: held.owner, expiresInMs: held.untilMs - timeMs };
    if (command.op === "release") {
      if (held !== undefined) held.untilMs = timeMs;
      return { held: false, owner: null, expiresInMs: 0 };
    }
    if (held === undefined && command.op === "renew") return { held: false, owner: null, expiresInMs: 0 };
    const untilMs = timeMs + command.ttlMs;
    if (held !== undefined) held.untilMs = untilMs;
    else if (command.op === "acquire")
      this.grants.push({ name, owner: command.owner, token: instance, untilMs });
    return { held: true, token: held?.token ?? instance, expiresInMs: command.ttlMs };
  }

  held(name: string, timeMs: number) {
    return this.grants.find(grant => grant.name === name && grant.untilMs > timeMs);
  }
}

const name = fc.constantFrom(...names);
const ttlMs = fc.integer({ min: 1, max: 900 });
// Positions begin at 4 in these logs, so that some of these are tokens.
const token = fc.integer({ min: 4, max: 14 });
const command: fc.Arbitrary<LocksCommand> = fc.oneof(
  fc.record({ op: fc.constant("acquire" as const), name, owner: fc.constantFrom(...owners), ttlMs }),
  fc.record({ op: fc.constant("renew" as const), name, token, ttlMs }),
  fc.record({ op: fc.constant("release" as const), name, token }),
);

test("does what a model does that keeps everything", () =>
  agreesWithModel({
    create: () => new Locks(),
    createModel: () => new Model(),
    command,
    gapMsMax: 300,
    read: (locks, timeMs) => [locks.size(timeMs), ...names.map(name => locks.held(name, timeMs))],
    readModel: (model, timeMs) => {
      const held = names.map(name => model.held(name, timeMs));
      const shown = held.map(
        grant => grant && { owner: grant.owner, token: grant.token, expiresInMs: grant.untilMs - timeMs },
      );
      return [shown.filter(Boolean).length, ...shown];
    },
  }));

test("is deterministic, and survives snapshots and restarts", () => {
  // Tokens are positions of the log: for some to be right, the machine is asked for those that it has given.
  class WithLatest extends Locks {
    override apply(command: LocksCommand, at: AppliedAt): LocksResult {
      if (command.op === "acquire" || command.token >= 0) return super.apply(command, at);
      return super.apply({ ...command, token: this.held(command.name)?.token ?? 0 }, at);
    }
  }
  return checkStateMachine<Locks>({
    create: () => new WithLatest(),
    seed,
    runs: 10,
    commands: random => {
      const name = random.pick(names);
      const ttlMs = random.between(1, 5000);
      const token = random.chance(0.8) ? -1 : 3;
      if (random.chance(0.6)) return { op: "acquire", name, owner: random.pick(owners), ttlMs };
      return random.chance(0.5) ? { op: "renew", name, token, ttlMs } : { op: "release", name, token };
    },
    queries: [{ op: "held", name: "a" }, { op: "held", name: "b" }, { op: "size" }],
  });
});

test("a lock has one holder, whose token is higher than all before, until it is released or expires", () => {
  const log = new Log(new Locks());
  const acquire = (owner: string) => log.apply({ op: "acquire", name: "a", owner, ttlMs: 1000 });
  const first = acquire("ann");
  expect(first).toEqual({ held: true, token: log.instance, expiresInMs: 1000 });
  const { token } = first as { token: number };
  log.timeMs += 400;
  expect(acquire("bob")).toEqual({ held: false, owner: "ann", expiresInMs: 600 });
  expect(acquire("ann"), "asked again").toEqual({ held: true, token, expiresInMs: 1000 });
  log.timeMs += 999;
  expect(log.apply({ op: "renew", name: "a", token, ttlMs: 500 })).toEqual({
    held: true,
    token,
    expiresInMs: 500,
  });
  log.timeMs += 500;
  expect(log.machine.held("a", log.timeMs)).toBeUndefined();
  expect(log.apply({ op: "renew", name: "a", token, ttlMs: 500 })).toEqual({
    held: false,
    owner: null,
    expiresInMs: 0,
  });
  const second = acquire("bob") as { token: number };
  expect(second.token).toBeGreaterThan(token);
  expect(log.apply({ op: "release", name: "a", token })).toEqual({
    held: false,
    owner: "bob",
    expiresInMs: 1000,
  });
  expect(log.machine.held("a")).toEqual({ owner: "bob", token: second.token, expiresInMs: 1000 });
  expect(log.apply({ op: "release", name: "a", token: second.token })).toMatchObject({ owner: null });
  expect((acquire("bob") as { token: number }).token).toBeGreaterThan(second.token);
});

test("locks that expired are removed a few at a time", () => {
  const log = new Log(new Locks());
  for (let at = 0; at < 50; at++) log.apply({ op: "acquire", name: `l${at}`, owner: "ann", ttlMs: 10 + at });
  log.timeMs += 1000;
  expect(log.machine.size(log.timeMs)).toBe(0);
  const kept = () => [...log.machine.snapshot()].flat().length - 1;
  for (let before = kept(); before > 0; before = kept()) {
    log.apply({ op: "release", name: "none", token: 1 });
    expect(before - kept()).toBeLessThanOrEqual(4);
    expect(kept()).toBeLessThan(before);
  }
});

test.each([
  [{ op: "acquire", name: 1, owner: "ann", ttlMs: 5 }, "name is 1, not a string"],
  [{ op: "acquire", name: "a", ttlMs: 5 }, "owner is undefined, not a string"],
  [{ op: "acquire", name: "a", owner: "ann" }, "ttlMs is undefined"],
  [{ op: "renew", name: "a", token: 0.5, ttlMs: 5 }, "token is 0.5, not a whole number"],
  [{ op: "release", name: "a" }, "token is undefined"],
  [{ op: "steal", name: "a" }, `the command's op is "steal"`],
])("refuses %j", (bad, message) => {
  expect(new Log(new Locks()).failure(bad)).toContain(message);
});
