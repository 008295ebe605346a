import { ApplyFailure } from "@synod/core";
import {
  type Client,
  type Cluster,
  type Outcome,
  ProposeAllError,
  SynodError,
  type SynodErrorCode,
} from "@synod/runtime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BulkCall } from "../../dist/bulk-call.js";
import { CommandList } from "../../dist/bulk-commands.js";
import { type AnyMachine, errorOf, expectAgreement, start } from "../support.js";

/** What one client may have unanswered. */
const window = 16_384;

let cluster: Cluster<AnyMachine>;
let client: Client<AnyMachine>;
beforeAll(async () => {
  cluster = await start({ proposers: 1, acceptors: 1, quorums: { prepare: 1, accept: 1 } });
  client = await cluster.connect();
});
afterAll(() => cluster?.close());

const log = async (): Promise<unknown[]> => await client.query("log", { consistency: "linearizable" });
const commands = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, index) => ({ id: `${prefix}${index}` }));

/** The ProposeAllError that a call rejects with, whose failures are told by their ranges. */
async function failureOf(call: Promise<unknown>) {
  const error = await call.then(
    () => expect.fail("it was not rejected"),
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ProposeAllError);
  const failed = error as ProposeAllError<unknown[]>;
  const ranges = failed.failures.map(({ index, count, error }) => [index, count, error.code, error.outcome]);
  return { failed, ranges };
}

describe("what was proposed", () => {
  test("comes back in order, and stands in the log in the order of the calls", async () => {
    const before = (await log()).length;
    const calls = [
      client.propose({ id: "first" }),
      client.proposeAll(commands(3, "a")),
      client.proposeAll(commands(300, "b")),
      client.propose({ id: "between" }),
      client.propose({ id: "again" }),
      client.proposeAll(commands(2000, "c")),
      client.propose({ id: "last" }),
    ];
    const results = (await Promise.all(calls)).flat();
    const expected = [
      { id: "first" },
      ...commands(3, "a"),
      ...commands(300, "b"),
      { id: "between" },
      { id: "again" },
      ...commands(2000, "c"),
      { id: "last" },
    ];
    expect(results).toEqual(expected);
    expect((await log()).slice(before)).toEqual(expected.map(({ id }) => id));
  });

  test("is captured at the call, the array and its commands", async () => {
    const mine = commands(200, "kept");
    const call = client.proposeAll(mine);
    for (const command of mine) command.id = "changed";
    mine.length = 0;
    expect(await call).toEqual(commands(200, "kept"));
  });

  test("may be nothing", async () => {
    expect(await client.proposeAll([])).toEqual([]);
  });

  test("goes in pieces that a batch holds, whatever its bytes", async () => {
    const pad = new Uint8Array(100_000);
    const large = Array.from({ length: 20 }, (_, id) => ({ id, do: "position", pad }));
    const positions = await client.proposeAll(large);
    const instances = positions.map(({ instance }: { instance: number }) => instance);
    expect(instances).toEqual([...instances].sort((one, other) => one - other));
    expect(new Set(instances).size).toBe(20);
  });
});

describe("what fails", () => {
  test("in the middle of a call is told apart from what was applied, and from what was not sent", async () => {
    const call = new BulkCall(new CommandList(Array(10).fill("x")), 0, undefined);
    const error = (code: SynodErrorCode, outcome: Outcome) => new SynodError(code, "late", { outcome });
    call.next = 8;
    const late = error("TIMEOUT", "unknown");
    call.cancelRest(error("TIMEOUT", "not-applied"));
    call.fail(5, 1, late);
    call.settle(2, ["c", new ApplyFailure("thrown"), "e"]);
    call.fail(6, 1, late);
    call.settle(0, ["a", "b"]);
    call.settle(7, ["h"]);
    const { failed, ranges } = await failureOf(call.promise);
    expect(ranges).toEqual([
      [3, 1, "STATE_MACHINE_FAILED", undefined],
      [5, 2, "TIMEOUT", "unknown"],
      [8, 2, "TIMEOUT", "not-applied"],
    ]);
    expect(failed).toMatchObject({ code: "TIMEOUT", outcome: "unknown" });
    const none = undefined;
    expect(failed.results).toEqual(["a", "b", "c", none, "e", none, none, "h", none, none]);
  });

  test("without being sent at all has not been applied, and with nothing unknown nothing is said", async () => {
    const notApplied = new SynodError("TIMEOUT", "late", { outcome: "not-applied" });
    const unsent = new BulkCall(new CommandList(["a", "b"]), 0, undefined);
    unsent.cancelRest(notApplied);
    expect((await failureOf(unsent.promise)).failed).toMatchObject({
      code: "TIMEOUT",
      outcome: "not-applied",
    });
    const half = new BulkCall(new CommandList(["a", "b"]), 0, undefined);
    half.next = 1;
    half.cancelRest(notApplied);
    half.settle(0, ["A"]);
    expect("outcome" in (await failureOf(half.promise)).failed).toBe(false);
  });

  test("in the state machine is told by its position; the others have their results", async () => {
    const mixed = Array.from({ length: 1000 }, (_, id) =>
      id === 7 || id === 8 ? { do: "throw" } : id === 500 ? { do: "promise" } : { id },
    );
    const { failed, ranges } = await failureOf(client.proposeAll(mixed));
    expect(ranges).toEqual([
      [7, 2, "STATE_MACHINE_FAILED", undefined],
      [500, 1, "STATE_MACHINE_FAILED", undefined],
    ]);
    expect(failed).toMatchObject({ code: "STATE_MACHINE_FAILED", name: "SynodError" });
    expect("outcome" in failed).toBe(false);
    expect(failed.message).toMatch(
      /^3 of 1000 commands failed; commands 7 to 8: .*RangeError: no such thing/,
    );
    expect(failed.errorAt(8)?.message).toContain("no such thing");
    expect(failed.errorAt(9)).toBeUndefined();
    expect(failed.results[7]).toBeUndefined();
    expect(failed.results[9]).toEqual({ id: 9 });
    expect(failed.results).toHaveLength(1000);
  });

  test("before it is sent is named, and nothing is sent", async () => {
    const before = (await log()).length;
    const bad = [...commands(5, "x"), { id: "y", items: [1, { onDone() {} }] }, ...commands(5, "z")];
    expect(await errorOf(client.proposeAll(bad), "NOT_SERIALIZABLE")).toMatchObject({
      path: "commands[5].items[1].onDone",
      outcome: "not-applied",
    });
    const large = [{ id: 0 }, { id: 1, pad: new Uint8Array(5_000_000) }];
    expect(await errorOf(client.proposeAll(large), "COMMAND_TOO_LARGE")).toMatchObject({
      path: "commands[1]",
      outcome: "not-applied",
    });
    const gone = AbortSignal.abort(new Error("gone"));
    await errorOf(client.proposeAll(commands(5, "x"), { signal: gone }), "ABORTED");
    await errorOf(client.proposeAll(commands(5, "x"), { timeoutMs: -1 }), "INVALID_OPTIONS");
    await errorOf(client.proposeAll("abc" as never), "NOT_SERIALIZABLE");
    await errorOf(client.proposeAll(undefined as never), "NOT_SERIALIZABLE");
    expect(await log()).toHaveLength(before);
  });

  test("by the caller's signal: what was sent is unknown, the rest is not applied", async () => {
    const before = (await log()).length;
    const controller = new AbortController();
    const call = client.proposeAll(commands(20_000, "aborted"), { signal: controller.signal });
    controller.abort();
    const { failed, ranges } = await failureOf(call);
    expect(ranges).toEqual([
      [0, window, "ABORTED", "unknown"],
      [window, 20_000 - window, "ABORTED", "not-applied"],
    ]);
    expect(failed).toMatchObject({ code: "ABORTED", outcome: "unknown" });
    // Nothing is lost of what comes later.
    expect(await client.propose({ id: "after" })).toEqual({ id: "after" });
    const after = (await log()).slice(before);
    expect(after.at(-1)).toBe("after");
    expect(after.length - 1).toBeLessThanOrEqual(window);
    expect(after.slice(0, -1)).toEqual(commands(after.length - 1, "aborted").map(({ id }) => id));
  });

  test("by its deadline: what was sent is unknown, the rest is not applied", async () => {
    const stall = { do: "stall", ms: 1500 };
    const stalled = client.propose(stall);
    const call = client.proposeAll(commands(20_000, "late"), { timeoutMs: 300 });
    const { failed, ranges } = await failureOf(call);
    expect(ranges.map(([, , code, outcome]) => [code, outcome])).toEqual([
      ["TIMEOUT", "unknown"],
      ["TIMEOUT", "not-applied"],
    ]);
    const [[first, sent], [rest, unsent]] = ranges as [[number, number], [number, number]];
    expect([first, rest, sent + unsent]).toEqual([0, sent, 20_000]);
    expect(failed).toMatchObject({ code: "TIMEOUT", outcome: "unknown" });
    expect(await stalled).toBeNull();
    expect(await client.propose({ id: "after the stall" })).toEqual({ id: "after the stall" });
  });
});

test("a client that is closed tells of each command whether it may take effect", async () => {
  const other = await cluster.connect();
  const call = other.proposeAll(commands(20_000, "closing"));
  await other.close();
  const { ranges } = await failureOf(call);
  expect(ranges).toEqual([
    [0, window, "CLUSTER_CLOSED", "unknown"],
    [window, 20_000 - window, "CLUSTER_CLOSED", "not-applied"],
  ]);
  await errorOf(other.proposeAll(commands(1, "closed")), "CLUSTER_CLOSED");
});

test("more commands than the window and the queue hold, with others behind them", async () => {
  const count = 150_000;
  const before: number = await client.query("length", { consistency: "linearizable" });
  const all = client.proposeAll(
    Array.from({ length: count }, (_, id) => ({ id })),
    { timeoutMs: 50_000 },
  );
  await errorOf(client.propose({ id: "too much" }), "OVERLOADED");
  const error = await errorOf(client.proposeAll([{ id: "too much" }]), "OVERLOADED");
  expect(error.outcome).toBe("not-applied");
  const results = await all;
  expect(results).toHaveLength(count);
  expect(results.every((result, index) => result.id === index)).toBe(true);
  expect(await client.propose({ id: "behind" })).toEqual({ id: "behind" });
  const after = (await log()).slice(before);
  expect(after).toEqual([...Array(count).keys(), "behind"]);
  await expectAgreement(cluster, before + count + 1);
});
