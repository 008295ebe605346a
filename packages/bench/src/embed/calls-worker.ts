import { setTimeout as pause } from "node:timers/promises";
import { type Client, type ClusterHandle, connect } from "@synod/runtime";
import type { Histogram } from "hdr-histogram-js";
import { workerData } from "piscina";
import { ClosedLoopLoad, type Load, latencyHistogram, type Propose, type Slice } from "../load.js";
import type { VerifyingStore } from "../verifying-store.js";
import { answerWith, type SliceAnswer, type SliceTask } from "./thread-load.js";

/** What a thread that has a client is given. */
export interface CallsSpec {
  readonly handle: ClusterHandle<VerifyingStore>;
  readonly call: "propose" | "sequential" | "linearizable";
  /** Calls under way. */
  readonly callers: number;
  /** With one caller: a pause after each call, in milliseconds; 0 for none. */
  readonly pauseMs: number;
}

function callOf(client: Client<VerifyingStore>, call: CallsSpec["call"]): Propose {
  if (call === "propose") return command => client.propose(command);
  const options = { consistency: call };
  return ({ key }) => client.query({ op: "get", key }, options);
}

/** One call, a pause, the next call: what somebody pays who comes when everything sleeps. */
class PausedLoad implements Load {
  readonly #load: ClosedLoopLoad;
  readonly #pauseMs: number;

  constructor(load: ClosedLoopLoad, pauseMs: number) {
    this.#load = load;
    this.#pauseMs = pauseMs;
  }

  get acknowledged(): number {
    return this.#load.acknowledged;
  }

  async slice(_clients: number, durationMs: number, histogram?: Histogram): Promise<Slice> {
    const ignored = latencyHistogram();
    const startedAt = performance.now();
    for (let commits = 1; ; commits++) {
      await pause(this.#pauseMs);
      await this.#load.sequence(1, histogram ?? ignored);
      const passedMs = performance.now() - startedAt;
      if (passedMs >= durationMs) return { commits, durationMs: passedMs };
    }
  }
}

const { handle, call, callers, pauseMs } = workerData as CallsSpec;
const client = await connect(handle);
const calls = new ClosedLoopLoad(callOf(client, call), 0);
const load = pauseMs === 0 ? calls : new PausedLoad(calls, pauseMs);

export default function answer(task: SliceTask): Promise<SliceAnswer> {
  return answerWith(load, callers, task);
}
