import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { AcceptorState } from "@synod/core";
import { Random } from "@synod/core/testing";
import { expect, it } from "vitest";
import { createStorageRegion, SharedStorage } from "../../dist/storage/index.js";
import { plantBug } from "../planted-bug.js";
import { CheckFailure } from "../torn-memory.js";
import { expectSame, stateAfter } from "./checks.js";
import { RecordSource } from "./record-source.mjs";

const builtStorage = new URL("../../dist/storage/index.js", import.meta.url).href;
/** Random deaths; those at every store, one by one, are in shared.test.ts. */
const kills = Number(process.env.SYNOD_KILLS ?? 200);
const seed = Number(process.env.SYNOD_SEED ?? Date.now() % 2 ** 31);

/** Starts a life, kills it within some milliseconds, and waits until its thread has gone. Returns what was safe. */
async function liveAndDie(storageUrl: string, region: SharedArrayBuffer, life: number, lifeMs: number) {
  const safeCalls = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL("./kill-worker.mjs", import.meta.url), {
    workerData: { storageUrl, region, seed: life, safeCalls },
  });
  const exit = new Promise(resolve => worker.once("exit", resolve));
  await once(worker, "message");
  const until = performance.now() + lifeMs;
  while (performance.now() < until);
  await worker.terminate();
  await exit;
  return Atomics.load(safeCalls, 0);
}

/** What the life has left behind is what it persisted: all that was safe, and of the call after it all or nothing. */
function stateLeft(
  region: SharedArrayBuffer,
  former: AcceptorState | undefined,
  life: number,
  safeCalls: number,
) {
  const random = new Random(life);
  const source = new RecordSource(end => random.below(end), former, 0);
  let safe = former;
  for (let call = 0; call < safeCalls; call++) safe = stateAfter(safe, source.next());
  const found = new SharedStorage(region).recover();
  const begun = stateAfter(safe, source.next());
  try {
    expectSame(found, safe, `life ${life} died after ${safeCalls} calls`);
  } catch {
    expectSame(found, begun, `life ${life} died in call ${safeCalls + 1}`);
  }
  return found;
}

async function killAgainAndAgain(storageUrl: string, times: number): Promise<number> {
  const region = createStorageRegion(2 ** 20);
  const random = new Random(seed);
  let state: AcceptorState | undefined;
  let calls = 0;
  for (let kill = 0; kill < times; kill++) {
    const life = random.bits();
    const safeCalls = await liveAndDie(storageUrl, region, life, random.fraction() * 3);
    state = stateLeft(region, state, life, safeCalls);
    calls += safeCalls;
  }
  return calls;
}

it(`${kills} lives of a thread that is killed, seed ${seed}: all that was safe is there`, async () => {
  expect(await killAgainAndAgain(builtStorage, kills)).toBeGreaterThan(kills);
}, 600_000);

it("a life that publishes before it has written is found out", async () => {
  const bugged = await plantBug("storage", {
    file: "storage-region.ts",
    find: "    this.write(header, slot);\n    Atomics.store(this.#word, PUBLISHED, SLOT_VALUES[slot]);",
    replace: "    Atomics.store(this.#word, PUBLISHED, SLOT_VALUES[slot]);\n    this.write(header, slot);",
  });
  await expect(killAgainAndAgain(bugged, 2000)).rejects.toSatisfy(
    error => error instanceof CheckFailure || error.code === "STORAGE_FAILED",
  );
}, 600_000);
