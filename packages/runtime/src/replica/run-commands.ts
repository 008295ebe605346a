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

/** Decodes segments and runs their commands through a machine. What it returns is for the entries, and not copied. */
export class CommandRunner {
  /** The commands of these bytes: a segment may be applied in several pieces. */
  #decodedFrom: Uint8Array | undefined;
  #decoded: readonly unknown[] = [];

  run(machine: CalledMachine, part: Part): Run {
    return isBytes(part.segment.bytes) ? runBytes(machine, part) : this.#runValues(machine, part);
  }

  /** No piece of the last segment will follow. */
  forget(): void {
    this.#decodedFrom = undefined;
    this.#decoded = [];
  }

  #runValues(machine: CalledMachine, { segment, skip, firstInstance, timeMs }: Part): Run {
    const { session, bytes } = segment;
    if (bytes !== this.#decodedFrom) {
      this.#decoded = commandCodec.decode(bytes);
      this.#decodedFrom = bytes;
    }
    const commands = this.#decoded;
    const first = segment.skip + skip;
    const count = segment.count - skip;
    const results = new Array<Result>(count);
    const at = { instance: firstInstance, timeMs };
    for (let index = 0; index < count; index++) {
      at.instance = firstInstance + index;
      results[index] = applyOne(machine, commands[first + index], at);
    }
    const weight = Math.ceil((bytes.byteLength * count) / commands.length);
    const commandAt = (position: number) => commands[first + position];
    return { firstInstance, timeMs, session, commandAt, results, bytes: weight };
  }
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
