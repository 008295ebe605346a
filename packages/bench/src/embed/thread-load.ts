import { decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from "hdr-histogram-js";
import { type Load, latencyHistogram, type Slice } from "../load.js";
import { type EmbedderThread, openThread } from "./thread.js";

/** What a thread is asked for: one sample. */
export interface SliceTask {
  readonly durationMs: number;
  /** Whether latencies are wanted. */
  readonly isTimed: boolean;
}

export interface SliceAnswer extends Slice {
  /** A histogram, encoded; absent when none was wanted or there are no latencies. */
  readonly latencies?: string;
  /** Operations that have succeeded since the thread began. */
  readonly acknowledged: number;
}

/** A load that another thread makes. */
export class ThreadLoad implements Load {
  readonly #thread: EmbedderThread<SliceTask, SliceAnswer>;
  #acknowledged = 0;

  constructor(module: string, spec: object) {
    this.#thread = openThread(module, spec);
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** As a load of this thread does; how many callers there are, the thread was told when it began. */
  async slice(_clients: number, durationMs: number, histogram?: Histogram): Promise<Slice> {
    const answer = await this.#thread.ask({ durationMs, isTimed: histogram !== undefined });
    this.#acknowledged = answer.acknowledged;
    if (answer.latencies !== undefined) histogram?.add(decodeFromCompressedBase64(answer.latencies));
    return answer;
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}

/** For a thread: takes one sample of a load, and packs it for its way to the one that has asked. */
export async function answerWith(
  load: Load,
  callers: number,
  { durationMs, isTimed }: SliceTask,
): Promise<SliceAnswer> {
  const histogram = isTimed ? latencyHistogram() : undefined;
  const slice = await load.slice(callers, durationMs, histogram);
  const { acknowledged } = load;
  if (histogram === undefined) return { ...slice, acknowledged };
  return { ...slice, acknowledged, latencies: encodeIntoCompressedBase64(histogram) };
}
