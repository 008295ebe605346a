import type { CommandSegment, Result } from "@synod/core";
import { applyBytes } from "../apply-bytes.js";
import { failure, isThenable, promiseFailure } from "../apply-failure.js";
import { byteTable, isBytes } from "../byte-codec.js";
import { commandCodec } from "../command-codec.js";
import type { CalledMachine } from "../engine.js";
import type { AppliedAt } from "../state-machine.js";
import type { Run } from "./entry-tail.js";

/** Some commands of a segment, and where they stand in the log. */
export interface Part {
  readonly segment: CommandSegment;
  /** Commands of the segment that are passed over. */
  readonly skip: number;
  readonly firstInstance: number;
  /** Logical time, in milliseconds. */
  readonly timeMs: number;
}

/** The commands of a segment, which are decoded when somebody wants them. */
class SegmentCommands {
  readonly bytes: Uint8Array;
  #commands: readonly unknown[] | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get(): readonly unknown[] {
    this.#commands ??= commandCodec.decode(this.bytes);
    return this.#commands;
  }

  /**
   * Thousands of objects that live on for a while are what garbage collection takes long for: bytes are not. A few bytes
   * of a large buffer would keep all of it, though.
   */
  release(): void {
    if (this.bytes.byteLength * 2 >= this.bytes.buffer.byteLength) this.#commands = undefined;
  }
}

/** Decodes segments and runs their commands through a machine. What it returns is for the entries, and not copied. */
export class CommandRunner {
  /** Kept from piece to piece: a segment may be applied in several. */
  #commands: SegmentCommands | undefined;

  /** Commands stay decoded when entries are followed: they are wanted at once. */
  run(machine: CalledMachine, part: Part, isFollowed: boolean): Run {
    const { bytes } = part.segment;
    if (isBytes(bytes)) return runBytes(machine, part);
    if (bytes !== this.#commands?.bytes) {
      this.forget(isFollowed);
      this.#commands = new SegmentCommands(bytes);
    }
    return runValues(machine, part, this.#commands as SegmentCommands);
  }

  /** No piece of the last segment will follow. */
  forget(isFollowed: boolean): void {
    if (!isFollowed) this.#commands?.release();
    this.#commands = undefined;
  }
}

function runValues(machine: CalledMachine, part: Part, source: SegmentCommands): Run {
  const { segment, skip, firstInstance, timeMs } = part;
  const { session, bytes } = segment;
  const commands = source.get();
  const first = segment.skip + skip;
  const count = segment.count - skip;
  const results = new Array<Result>(count);
  const at = { instance: firstInstance, timeMs };
  for (let index = 0; index < count; index++) {
    at.instance = firstInstance + index;
    results[index] = applyOne(machine, commands[first + index], at);
  }
  const weight = Math.ceil((bytes.byteLength * count) / commands.length);
  const commandAt = (position: number) => source.get()[first + position];
  return { firstInstance, timeMs, session, commandAt, results, bytes: weight };
}

function runBytes(machine: CalledMachine, { segment, skip, firstInstance, timeMs }: Part): Run {
  const { session, bytes } = segment;
  const first = segment.skip + skip;
  const count = segment.count - skip;
  const results = applyBytes(machine, { encoded: bytes, skip: first, count, firstInstance, timeMs });
  const { startOf } = byteTable(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const commandAt = (position: number) =>
    bytes.subarray(startOf(first + position), startOf(first + position + 1));
  const weight = startOf(first + count) - startOf(first);
  return { firstInstance, timeMs, session, commandAt, results, bytes: weight };
}

function applyOne(machine: CalledMachine, command: unknown, at: AppliedAt): Result {
  try {
    if (machine.apply === undefined) throw new TypeError("the state machine has no method apply()");
    const value: unknown = machine.apply(command, at);
    return typeof value === "object" && isThenable(value) ? promiseFailure(value, "apply()'s result") : value;
  } catch (cause) {
    return failure(cause);
  }
}
