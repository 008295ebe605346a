import { type AppliedAt, type QueriedAt, SynodError } from "@synod/runtime";
import KeyValueStore, { type KeyValueCommand, type KeyValueQuery } from "@synod/runtime/kv";
import {
  type CheckName,
  checkStateMachine,
  type Random,
  StateMachineCheckError,
} from "@synod/runtime/testing";
import { describe, expect, it, test } from "vitest";
import { type Add, broken, Sums } from "./broken-machines.js";

const keys = ["a", "b", "c"];
const drawAdd = (random: Random): Add => ({ key: random.pick(keys), by: random.below(4) });
const drawKey = (random: Random) => random.pick(keys);
const drawCommand = (random: Random): KeyValueCommand => {
  const key = random.pick(keys);
  return random.chance(0.3)
    ? { op: "delete", key }
    : { op: "set", key, value: { nested: [random.below(9)] } };
};
const drawQuery = (random: Random): KeyValueQuery =>
  random.chance(0.3) ? { op: "size" } : { op: random.pick(["get", "has"]), key: random.pick(keys) };

async function failureOf(check: Promise<void>): Promise<StateMachineCheckError> {
  const error = await check.then(
    () => expect.fail("nothing was found"),
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(StateMachineCheckError);
  return error as StateMachineCheckError;
}

const checkSums = (create: () => Sums, seed: number) =>
  checkStateMachine({ create, commands: drawAdd, queries: drawKey, seed });

describe("a good machine passes", () => {
  it("that sums", () => checkSums(() => new Sums(), 1));

  it("that is a key-value store", () =>
    checkStateMachine({
      create: () => new KeyValueStore(),
      commands: drawCommand,
      queries: drawQuery,
    }));

  it("with a list of commands, that it must have seen all", async () => {
    const seen = new Set<string>();
    class Watched extends Sums {
      override apply(command: Add, at: { instance: number; timeMs: number }) {
        seen.add(command.key);
        return super.apply(command, at);
      }
    }
    const commands = Array.from({ length: 200 }, (_, by) => ({ key: `key-${by}`, by }));
    await checkStateMachine({ create: () => new Watched(), commands, runs: 3 });
    expect(seen.size).toBe(200);
  });
});

const expected: Record<keyof typeof broken, [CheckName, RegExp]> = {
  clock: ["replicas agree", /second one on another day, apply\(\) returned something else at instance \d/],
  "the day of the week": ["replicas agree", /another day/],
  "a rare draw": ["replicas agree", /found {3}: 'jackpot'/],
  "a time in the state": ["replicas agree", /query\(\) answers something else: '[abc]'/],
  "an age": ["restarts leave no trace", /as days went by, apply\(\) returned something else/],
  "work after a turn": ["apply finishes before it returns", /the state changed after apply\(\) had returned/],
  "an error that tells the time": ["replicas agree", /expected: 'thrown Error: at /],
  "a module's state": ["machines share nothing", /keep state in the instance/],
  "asynchronous apply": ["apply finishes before it returns", /apply\(\) returned a promise/],
  "asynchronous query": ["query finishes before it returns", /query\(\) returned a promise/],
  "a result that is a Map": ["results survive the encoding", /result\.by\.sums is an instance of Map/],
  "an answer that is a function": ["answers survive the encoding", /answer\[0\] is a function/],
  "a snapshot that is a Map": [
    "snapshots survive the encoding",
    /snapshot\(\)\[0\]\.sums is an instance of Map/,
  ],
  "a changed command": [
    "apply leaves its command alone",
    /changed the command that it was given at instance \d/,
  ],
  "a query that counts": ["query changes nothing", /a query changed the state after instance \d+: '[abc]'/],
  "a query that counts in secret": [
    "query changes nothing",
    /asked again on another day, has another answer/,
  ],
  "a query that cleans up": ["query changes nothing", /a query changed the state after instance \d+/],
  "a query that keeps its time": ["query changes nothing", /asked again on another day, has another answer/],
  "a snapshot that empties": ["snapshot changes nothing", /two snapshots in a row/],
  "a snapshot with its date": ["snapshot changes nothing", /on another day, differ/],
  "live references": ["snapshots stand still", /chunk \d of a snapshot after \d+ commands? changed later/],
  "a forgotten field": ["restore gives the state back", /after restoring a snapshot of 1 command into a new/],
  "a forgotten field that only queries show": [
    "restore gives the state back",
    /query\(\) answers something else/,
  ],
  "another order": ["restore gives the state back", /snapshot\(\) yields something else/],
  "a restore that goes on in the background": ["restore gives the state back", /yields something else/],
  "a restore that merges": ["restore replaces what was there", /a snapshot of 0 commands over a machine/],
  "a kept position": ["restore gives the state back", /apply\(\) returned something else at instance \d/],
  "a snapshot that throws while nothing is applied": [
    "methods do not throw",
    /snapshot\(\) threw RangeError/,
  ],
  "a restore that throws": ["methods do not throw", /restore\(\) failed: RangeError: not in thread/],
};

describe("a mistake is found and named:", () => {
  const cases = Object.entries(broken).map(([name, machine]) => ({ name, machine }));
  it.each(cases)("$name", async ({ name, machine }) => {
    const [check, message] = expected[name as keyof typeof broken];
    // Whatever the seed: a user draws one.
    for (const seed of [1, 2, 3]) {
      const failure = await failureOf(checkSums(() => new machine(), seed));
      expect(failure.check, failure.message).toBe(check);
      expect(failure.message).toMatch(message);
    }
  });
});

/** The kind of mistake that takes several commands: the state that is restored forgets who was locked out. */
class Locks extends Sums {
  #locked = new Set<string>();
  override apply(command: Add, at: { instance: number; timeMs: number }) {
    if (command.by === 3) this.#locked.add(command.key);
    return this.#locked.has(command.key) ? "locked" : super.apply(command, at);
  }
}

describe("a failure", () => {
  test("shows the fewest commands, and is repeated by its seed", async () => {
    const failure = await failureOf(checkSums(() => new Locks(), 77));
    expect(failure).toBeInstanceOf(SynodError);
    expect(failure.code).toBe("STATE_MACHINE_CHECK_FAILED");
    expect(failure.steps).toHaveLength(2);
    const [locks, refused] = failure.steps;
    expect(locks?.command).toEqual({ key: (refused!.command as Add).key, by: 3 });
    expect(failure).toMatchObject({ instance: refused?.instance, expected: "locked" });
    expect(failure.found).not.toBe("locked");
    expect(failure.message).toContain(`2 commands, the shortest of `);
    expect(failure.message).toContain(`instance ${refused?.instance} at ${refused?.timeMs} ms: { key: `);
    expect(failure.message).toContain(`repeat it with seed: ${failure.seed}, runs: 1`);

    const options = { commands: drawAdd, queries: drawKey, seed: failure.seed, runs: 1 };
    const repeated = await failureOf(checkStateMachine({ create: () => new Locks(), ...options }));
    expect(repeated.message).toBe(failure.message);
  });

  test("of a drawn seed names it", async () => {
    const options = { create: () => new Locks(), commands: drawAdd };
    const { seed, message } = await failureOf(checkStateMachine(options));
    const repeated = await failureOf(checkStateMachine({ ...options, seed, runs: 1 }));
    expect(repeated.message).toBe(message);
  });

  test("of a command that cannot be sent names it and its path", async () => {
    const commands = [{ key: "a", by: 1 }, { key: "a", by: 1, done: [() => 1] } as Add];
    const failure = await failureOf(checkStateMachine({ create: () => new Sums(), commands }));
    expect(failure.check).toBe("commands and queries survive the encoding");
    expect(failure.path).toBe("command.done[0]");
    expect(failure.message).toContain("command number 1 is refused");
  });

  test("of a machine that cannot be made says so", async () => {
    const create = (): Sums => {
      throw new RangeError("not today");
    };
    const failure = await failureOf(checkSums(create, 1));
    expect(failure.message).toContain("create() threw RangeError: not today");
    expect(failure.cause).toBeInstanceOf(RangeError);
  });
});

test("a query is asked at its position, and at its time or later, as on an idle log", async () => {
  const asked: [instance: number, idleMs: number][] = [];
  let [instance, timeMs] = [-1, 0];
  class Watched extends Sums {
    override apply(command: Add, at: AppliedAt) {
      ({ instance, timeMs } = at);
      return super.apply(command, at);
    }
    override query(key: string, at: QueriedAt) {
      asked.push([at.instance - instance, at.timeMs - timeMs]);
      return super.query(key, at);
    }
  }
  await checkSums(() => new Watched(), 3);
  expect(new Set(asked.map(([behind]) => behind))).toEqual(new Set([0]));
  expect(Math.min(...asked.map(([, idleMs]) => idleMs))).toBe(0);
  expect(Math.max(...asked.map(([, idleMs]) => idleMs))).toBeGreaterThan(1000);
});

test("the clock and chance of the thread are put back", async () => {
  const before = [Date, Date.now, performance.now, Math.random];
  const descriptors = () => [Date, performance, Math].map(Object.getOwnPropertyDescriptors);
  const described = descriptors();
  await checkSums(() => new Sums(), 5);
  await failureOf(checkSums(() => new broken.clock(), 5));
  expect([Date, Date.now, performance.now, Math.random]).toEqual(before);
  expect(descriptors()).toEqual(described);
});

test("a Date of another day is a Date", async () => {
  const dates: unknown[] = [];
  class Dated extends Sums {
    override apply(command: Add, at: { instance: number; timeMs: number }) {
      dates.push(new Date() instanceof Date, typeof Date(), new Date(5).getTime());
      return [super.apply(command, at), new Date(at.timeMs)];
    }
  }
  await checkSums(() => new Dated(), 5);
  expect(new Set(dates)).toEqual(new Set([true, "string", 5]));
});

describe("options", () => {
  const good = { create: () => new Sums(), commands: drawAdd };
  it.each([
    ["runs", 0],
    ["commandsMax", 1.5],
    ["seed", -1],
    ["commands", []],
    ["queries", "a"],
    ["create", Sums.prototype],
    ["command", drawAdd],
  ])("refuse %s: %j", async (path, value) => {
    const options = { ...good, [path]: value };
    await expect(checkStateMachine(options)).rejects.toMatchObject({ code: "INVALID_OPTIONS", path });
  });

  test("follow from the machine's types", () => {
    const create = () => new KeyValueStore();
    // @ts-expect-error: no such operation
    void (() => checkStateMachine({ create, commands: [{ op: "sett", key: "a", value: 1 }] }));
    // @ts-expect-error: a query, not a command
    void (() => checkStateMachine({ create, commands: drawCommand, queries: drawCommand }));
  });
});
