import { VerificationError } from "../experiment.js";
import { ClosedLoopLoad, latenciesOf, latencyHistogram, type Propose } from "../load.js";
import type { Rival, RivalSlice } from "./rival.js";

/** What a subject whose clients live in this process has to say for itself. */
export interface Target {
  readonly details: string;
  readonly pids?: readonly number[];
  readonly propose: Propose;
  /** Throws unless so many commands were applied, each once. */
  verify(acknowledged: number): Promise<void>;
  close(): Promise<void>;
}

/** Closed-loop clients on this thread, in front of what takes their commands. */
export class LoadedRival implements Rival {
  readonly details: string;
  readonly pids: readonly number[];
  readonly #target: Target;
  readonly #load: ClosedLoopLoad;

  constructor(target: Target, payload: number) {
    this.details = target.details;
    this.pids = target.pids ?? [];
    this.#target = target;
    this.#load = new ClosedLoopLoad(target.propose, payload);
  }

  async slice(clients: number, durationMs: number): Promise<RivalSlice> {
    const histogram = latencyHistogram();
    const slice = await this.#load.slice(clients, durationMs, histogram);
    return { ...slice, latencyMs: latenciesOf(histogram) };
  }

  verify(): Promise<void> {
    return this.#target.verify(this.#load.acknowledged);
  }

  close(): Promise<void> {
    return this.#target.close();
  }
}

/** Throws unless what a subject has counted is what was acknowledged. */
export function checkWritten(written: number, acknowledged: number): void {
  if (written === acknowledged) return;
  throw new VerificationError(`${written} commands were applied, acknowledged were ${acknowledged}`);
}
