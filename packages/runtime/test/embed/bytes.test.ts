import { once } from "node:events";
import { type BytesStateMachine, type Client, Cluster, ProposeAllError } from "@synod/runtime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorOf, fixture, until } from "../support.js";

interface Numbers extends BytesStateMachine<unknown, unknown, unknown> {
  query(query: "log" | "lengths"): unknown;
}
interface Both extends Numbers {
  apply(command: { number: number }): { was: number };
}

const recordBytes = 8;
const throws = 0xffffffff;
const returnsEarly = 0xfffffffe;

/** Records of eight bytes that begin with these numbers. */
function records(numbers: Iterable<number>): Uint8Array {
  const list = [...numbers];
  const bytes = new Uint8Array(list.length * recordBytes);
  const view = new DataView(bytes.buffer);
  list.forEach((number, index) => {
    view.setUint32(index * recordBytes, number, true);
  });
  return bytes;
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

let cluster: Cluster<Both>;
let client: Client<Both>;
const started: Cluster<Numbers>[] = [];
beforeAll(async () => {
  const url = fixture("bytes.mjs");
  cluster = await Cluster.start<Both>({
    stateMachine: { url, export: "Both" },
    leaseMs: 200,
    snapshot: { everyCommands: 20_000 },
  });
  client = await cluster.connect();
});
afterAll(() => Promise.all([cluster, ...started].map(one => one?.close())));

const startMachine = async (name: string) => {
  const one = await Cluster.start<Numbers>({
    stateMachine: { url: fixture("bytes.mjs"), export: name },
    proposers: 1,
    acceptors: 1,
    learners: 1,
  });
  started.push(one);
  return one.connect();
};
const log = async (): Promise<number[]> =>
  (await client.query("log", { consistency: "linearizable" })) as number[];

async function failureOf(call: Promise<unknown>): Promise<ProposeAllError<Float64Array | undefined>> {
  const error = await call.then(
    () => expect.fail("it was not rejected"),
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ProposeAllError);
  return error as ProposeAllError<Float64Array | undefined>;
}

describe("commands as bytes", () => {
  test("of one length are applied in order, with a number each, beside commands as values", async () => {
    const before = (await log()).length;
    const calls = [
      client.proposeBytes(records(range(0, 1000)), { recordBytes }),
      client.propose({ number: 1000 }),
      client.proposeBytes(records([1001]), { recordBytes }),
      client.proposeAll([{ number: 1002 }, { number: 1003 }]),
    ];
    const [first, value, one, list] = await Promise.all(calls);
    expect(first).toEqual(Float64Array.from(range(before, 1000)));
    expect(value).toEqual({ was: 1000 });
    expect(one).toEqual(Float64Array.of(before + 1001));
    expect(list).toEqual([{ was: 1002 }, { was: 1003 }]);
    expect((await log()).slice(before)).toEqual(range(0, 1004));
  });

  test("of various lengths are found by where they begin", async () => {
    const before = (await client.query("lengths", { consistency: "linearizable" })) as number;
    const bytes = new Uint8Array(4 + 4 + 5000 + 4 + 1);
    const offsets = [0, 4, 5008];
    new DataView(bytes.buffer).setUint32(4, 77, true);
    const results = await client.proposeBytes(bytes, { offsets });
    expect(results).toHaveLength(3);
    expect((await log()).slice(-3)).toEqual([0, 77, 0]);
    expect(await client.query("lengths", { consistency: "linearizable" })).toBe(before + bytes.byteLength);
  });

  test("may be none, and more than the window holds; what the caller changes later does not count", async () => {
    expect(await client.proposeBytes(new Uint8Array(), { recordBytes: 8 })).toEqual(new Float64Array());
    expect(await client.proposeBytes(new Uint8Array(), { offsets: [] })).toEqual(new Float64Array());
    const before = (await log()).length;
    const bytes = records(range(0, 20_000));
    const fixed = client.proposeBytes(bytes, { recordBytes });
    bytes.fill(0);
    const more = records(range(20_000, 20_000));
    const offsets = Uint32Array.from(range(0, 20_000), index => index * recordBytes);
    const various = client.proposeBytes(more, { offsets });
    more.fill(0);
    offsets.fill(0);
    expect(await fixed).toEqual(Float64Array.from(range(before, 20_000)));
    expect(await various).toEqual(Float64Array.from(range(before + 20_000, 20_000)));
    expect((await log()).slice(before)).toEqual(range(0, 40_000));
  });

  test("that make the machine throw, or return early, fail one by one", async () => {
    const before = (await log()).length;
    const numbers = [1, throws, 2, returnsEarly, 3, throws, throws, 4];
    const error = await failureOf(client.proposeBytes(records(numbers), { recordBytes }));
    expect(error.failures.map(({ index, count }) => [index, count])).toEqual([
      [1, 1],
      [5, 2],
    ]);
    expect(error.errorAt(1)).toMatchObject({ code: "STATE_MACHINE_FAILED" });
    expect(error.errorAt(1)?.message).toContain("RangeError: no such number");
    const [a, b, c, d, e] = range(before, 5);
    expect([...(error.results ?? [])]).toEqual([a, NaN, b, c, d, NaN, NaN, e]);
    expect((await log()).slice(before)).toEqual([1, 2, returnsEarly, 3, 4]);
  });

  test("that are said to lie where they do not are refused, and nothing is sent", async () => {
    const before = (await log()).length;
    const bytes = records([1, 2]);
    const bad: [object, string][] = [
      [{}, "recordBytes"],
      [{ recordBytes: 8, offsets: [0] }, "recordBytes"],
      [{ recordBytes: 5 }, "recordBytes"],
      [{ recordBytes: 0 }, "recordBytes"],
      [{ recordBytes: -8 }, "recordBytes"],
      [{ recordBytes: "8" }, "recordBytes"],
      [{ offsets: [1, 8] }, "offsets[0]"],
      [{ offsets: [0, 9, 8] }, "offsets[1]"],
      [{ offsets: [0, 17] }, "offsets[1]"],
      [{ offsets: [0, 1.5] }, "offsets[1]"],
      [{ offsets: [] }, "offsets"],
      [{ recordBytes: 8, lengths: [8] }, "lengths"],
    ];
    for (const [options, path] of bad) {
      const error = await errorOf(client.proposeBytes(bytes, options as never), "INVALID_OPTIONS");
      expect([options, error.path]).toEqual([options, path]);
    }
    await errorOf(client.proposeBytes([1, 2] as never, { recordBytes: 8 }), "NOT_SERIALIZABLE");
    const large = new Uint8Array(5_000_000);
    await errorOf(client.proposeBytes(large, { recordBytes: large.length }), "COMMAND_TOO_LARGE");
    const error = await errorOf(client.proposeBytes(large, { offsets: [0, 10] }), "COMMAND_TOO_LARGE");
    expect(error).toMatchObject({ path: "bytes[1]", outcome: "not-applied" });
    expect(await log()).toHaveLength(before);
  });
});

describe("machines", () => {
  test("with applyBatch only take no values; the replicas go on", async () => {
    const only = await startMachine("default");
    const value = only.propose({ number: 1 } as never);
    expect((await errorOf(value, "STATE_MACHINE_FAILED")).message).toContain("no method apply()");
    expect(await only.proposeBytes(records([5]), { recordBytes })).toEqual(Float64Array.of(0));
  });

  test("without results give none", async () => {
    const silent = await startMachine("Silent");
    expect(await silent.proposeBytes(records(range(0, 20_000)), { recordBytes })).toBeUndefined();
    const error = await failureOf(silent.proposeBytes(records([1, throws]), { recordBytes }));
    expect(error.failures).toMatchObject([{ index: 1, count: 1 }]);
    expect(error.results).toBeUndefined();
  });

  test("that finish later fail with all that they were given", async () => {
    const late = await startMachine("Late");
    const error = await failureOf(late.proposeBytes(records([1, 2, 3]), { recordBytes }));
    expect(error.failures).toMatchObject([{ index: 0, count: 3 }]);
    expect(error.message).toContain("promise");
  });
});

test("leaders and learners are killed in the middle: each command once, in order, with its own result", async () => {
  const before = (await log()).length;
  let next = 0;
  let isOn = true;
  const answers: [first: number, Float64Array][] = [];
  const lane = async () => {
    while (isOn) {
      const first = next;
      next += 700;
      const bytes = records(range(first, 700));
      answers.push([first, await client.proposeBytes(bytes, { recordBytes, timeoutMs: 50_000 })]);
    }
  };
  const lanes = Array.from({ length: 8 }, lane);
  const answered = (count: number) =>
    until(
      () => cluster.status().then(() => answers.length),
      seen => seen >= count,
    );
  for (const role of ["leader", "learner-0", "learner-1", "leader"]) {
    await answered(answers.length + 20);
    const actor = role === "leader" ? ((await cluster.status()).leader ?? "proposer-0") : role;
    const up = once(cluster, "actorUp");
    await cluster.faults.kill(actor);
    await up;
  }
  await answered(answers.length + 20);
  isOn = false;
  await Promise.all(lanes);
  expect((await log()).slice(before)).toEqual(range(0, next));
  for (const [first, results] of answers)
    expect(results).toEqual(Float64Array.from(range(before + first, 700)));
  const learners = await until(
    async () => (await cluster.inspect({ stateDigest: true })).filter(({ role }) => role === "learner"),
    seen => new Set(seen.map(({ appliedBelow }) => appliedBelow)).size === 1,
  );
  expect(new Set(learners.map(({ stateDigest }) => stateDigest)).size).toBe(1);
  const { actors } = await cluster.status();
  expect(actors.some(({ snapshot }) => snapshot != null)).toBe(true);
});
