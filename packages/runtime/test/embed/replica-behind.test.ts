import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { Cluster, joinReplica } from "@synod/runtime";
import { KeyValueStore } from "@synod/runtime/kv";
import { expect, test } from "vitest";
import { fixture } from "../support.js";

const run = promisify(execFile);

test("a process ends although a thread of it has a replica that nobody waits for", async () => {
  const { stdout } = await run(process.execPath, [fileURLToPath(fixture("idle-replica.mjs"))]);
  expect(stdout).toBe("joined\nthe thread has ended with 0\nclosed\n");
});

/** Waits in `restore()` until the test lets it go on. */
class Held extends KeyValueStore {
  go: () => void = () => undefined;
  readonly begun: Promise<void>;
  #begin: () => void = () => undefined;
  readonly #going: Promise<void>;

  constructor() {
    super();
    this.begun = new Promise(resolve => {
      this.#begin = resolve;
    });
    this.#going = new Promise(resolve => {
      this.go = resolve;
    });
  }

  override async restore(chunks: Parameters<KeyValueStore["restore"]>[0]): Promise<void> {
    this.#begin();
    await this.#going;
    await super.restore(chunks);
  }
}

const snapshot = { everyCommands: 500, tailBytes: 4096 };

test("an instance that has fallen behind cannot be read until it is restored in place", async () => {
  const cluster = await Cluster.start({ stateMachine: KeyValueStore, snapshot });
  const memory = new SharedArrayBuffer(8);
  const words = new Int32Array(memory);
  // Twice what fits into the lane of what feeds a replica.
  const workerData = { handle: cluster.handle(), memory, valueBytes: 2048 };
  const thread = new Worker(new URL(fixture("loading-thread.mjs")), { workerData });
  try {
    const machine = new Held();
    const replica = await joinReplica(cluster.handle(), machine);
    let isBehind = false;
    for (let round = 1; !isBehind; round++) {
      // It does not get far enough behind if the acceptors happen to keep more than they must.
      expect(round).toBeLessThan(30);
      thread.postMessage(round);
      // This thread, and the replica in it, stand still until the log has gone on without them.
      Atomics.wait(words, 0, round - 1);
      const begun = machine.begun.then(() => true);
      const reached = replica.reached(words[1]!, { timeoutMs: 60_000 }).then(() => false);
      reached.catch(() => undefined);
      isBehind = await Promise.race([begun, reached]);
    }
    const read = () => replica.read(store => store.query({ op: "get", key: "key 999" }));
    expect(read).toThrow(expect.objectContaining({ code: "RESTORING" }));
    const restored = new Promise(resolve => replica.once("restored", resolve));
    machine.go();
    await restored;
    await replica.reached(words[1]!);
    expect(read()).toMatch(new RegExp(`^${words[0]} `));
    await replica.close();
  } finally {
    await thread.terminate();
    await cluster.close();
  }
});
