import { describe, expect, test } from "vitest";
import { valueCodec } from "../../dist/command-codec.js";
import { Restoring, type RestoringHost } from "../../dist/replica/restoring.js";
import { createSnapshotRegion, SnapshotWriter } from "../../dist/snapshots/index.js";
import { replicaChunks } from "../../dist/snapshots/snapshot-codec.js";

/** Remembers the chunks that it was restored from, and does before each what the test wants. */
class Words {
  words: unknown[] = [];
  readonly #before: (word: unknown) => void | Promise<void>;

  constructor(before: (word: unknown) => void | Promise<void> = () => undefined) {
    this.#before = before;
  }

  apply(): void {}

  *snapshot(): Generator<unknown> {
    yield* this.words;
  }

  async restore(chunks: AsyncIterable<unknown>): Promise<void> {
    for await (const word of chunks) {
      await this.#before(word);
      this.words.push(word);
    }
  }
}

const region = () => createSnapshotRegion(65_536);

/** Writes a snapshot at this instance over the one before the last. */
function publish(memory: ReturnType<typeof region>, instance: number, words: readonly string[]): void {
  const writer = new SnapshotWriter(memory);
  writer.begin();
  const samples = { chain: 0, samples: [] };
  const state = { appliedBelow: instance, appliedCommands: instance, timeMs: 7, sessions: [], samples };
  for (const chunk of replicaChunks(state)) writer.write(chunk);
  for (const word of words) writer.write(valueCodec.encode(word));
  writer.publish({ instance, commands: instance });
}

function told() {
  const begun: number[] = [];
  const failures: string[] = [];
  const host: RestoringHost = {
    neededFrom: () => 1,
    pauses: () => () => undefined,
    onBegin: instance => begun.push(instance),
    onFailure: error => failures.push((error as Error).message),
  };
  return { begun, failures, host };
}

const never = () => new Promise<void>(() => undefined);

describe("a replica that restores", () => {
  test("takes the newest snapshot of all learners", async () => {
    const regions = [region(), region()];
    publish(regions[0]!, 10, ["old"]);
    publish(regions[1]!, 20, ["new"]);
    const { begun, host } = told();
    const restored = await new Restoring(
      { regions, machine: new Words(), makeMachine: undefined },
      host,
    ).run();
    expect(restored?.state.appliedBelow).toBe(20);
    expect((restored?.machine as Words | undefined)?.words).toEqual(["new"]);
    expect(begun).toEqual([20]);
  });

  test("begins again with a newer one when its snapshot is overwritten meanwhile, and tells no failure", async () => {
    const memory = region();
    publish(memory, 10, ["a", "b", "c"]);
    const made: Words[] = [];
    const makeMachine = () => {
      const isFirst = made.length === 0;
      const machine = new Words(word => {
        if (!isFirst || word !== "b") return;
        // The first goes to the other slot, the second over what is being read.
        publish(memory, 20, ["d"]);
        publish(memory, 30, ["e", "f"]);
      });
      made.push(machine);
      return machine;
    };
    const { begun, failures, host } = told();
    const restored = await new Restoring(
      { regions: [memory], machine: new Words(), makeMachine },
      host,
    ).run();
    expect(begun).toEqual([10, 30]);
    expect(failures).toEqual([]);
    expect(restored?.state.appliedBelow).toBe(30);
    expect(made.map(({ words }) => words)).toEqual([
      ["a", "b"],
      ["e", "f"],
    ]);
    expect(restored?.machine).toBe(made[1]);
  });

  test("tells what restore() throws, and tries again", async () => {
    const memory = region();
    publish(memory, 10, ["a"]);
    let failing = true;
    const makeMachine = () =>
      new Words(() => {
        if (failing) throw new Error("not today");
      });
    const { failures, host } = told();
    const onFailure = (error: unknown) => {
      host.onFailure(error);
      failing = false;
    };
    const parts = { regions: [memory], machine: new Words(), makeMachine };
    const restored = await new Restoring(parts, { ...host, onFailure }).run();
    expect(failures).toEqual(["not today"]);
    expect((restored?.machine as Words | undefined)?.words).toEqual(["a"]);
  });

  test("gives up a restore() that hangs, which then reads no further, and restores another machine", async () => {
    const memory = region();
    publish(memory, 10, ["a", "b", "c"]);
    let resume: () => void = () => undefined;
    const made: Words[] = [];
    const makeMachine = () => {
      const isFirst = made.length === 0;
      const hang = () =>
        new Promise<void>(resolve => {
          resume = resolve;
        });
      const machine = new Words(word => (isFirst && word === "b" ? hang() : undefined));
      made.push(machine);
      return machine;
    };
    const { failures, host } = told();
    const parts = { regions: [memory], machine: new Words(), makeMachine };
    const restored = await new Restoring(parts, host, 20).run();
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(/has read 2 chunks and has neither ended nor read on for 0.02 s/);
    expect(restored?.machine).toBe(made[1]);
    expect(made[1]!.words).toEqual(["a", "b", "c"]);
    resume();
    await new Promise(resolve => setImmediate(resolve));
    expect(made[0]!.words).toEqual(["a", "b"]);
  });

  test("does not restore an instance a second time while the first may still write to it", async () => {
    const memory = region();
    publish(memory, 10, ["a"]);
    const { begun, host } = told();
    let resume: () => void = () => undefined;
    const machine = new Words(
      () =>
        new Promise(resolve => {
          resume = resolve;
        }),
    );
    const failed = new Promise<string>(resolve => {
      host.onFailure = error => resolve((error as Error).message);
    });
    const restoring = new Restoring({ regions: [memory], machine, makeMachine: undefined }, host, 1);
    const restored = restoring.run();
    expect(await failed).toMatch(/has read 1 chunks and has neither ended/);
    expect(begun).toEqual([10]);
    resume();
    expect((await restored)?.machine).toBe(machine);
    expect(machine.words).toEqual(["a"]);
  });

  test("ends without a word when the replica is closed, whatever it waits for", async () => {
    const memory = region();
    const { failures, host } = told();
    const waiting = new Restoring({ regions: [memory], machine: new Words(), makeMachine: undefined }, host);
    const nothing = waiting.run();
    waiting.close();
    expect(await nothing).toBeUndefined();

    publish(memory, 10, ["a"]);
    let begin: () => void = () => undefined;
    const begun = new Promise<void>(resolve => {
      begin = resolve;
    });
    const machine = new Words(() => {
      begin();
      return never();
    });
    const hanging = new Restoring({ regions: [memory], machine, makeMachine: undefined }, host);
    const given = hanging.run();
    await begun;
    hanging.close();
    expect(await given).toBeUndefined();
    expect(failures).toEqual([]);
  });
});
