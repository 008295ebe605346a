import { type ByteLayout, encodeBytes } from "./byte-codec.js";
import { checkSize } from "./call-errors.js";
import { type CapturedAll, captureAll } from "./capture.js";
import { valueCodec } from "./command-codec.js";
import { SynodError } from "./errors.js";
import { runtimeLimits } from "./limits.js";
import { invalid } from "./options.js";

/** The commands of one call, which are sent in pieces. */
export type BulkCommands = CommandList | CommandBytes;

/** Commands as the caller's values, captured. */
export class CommandList {
  readonly #captured: CapturedAll;

  /** @throws SynodError `NOT_SERIALIZABLE`, `COMMAND_TOO_LARGE`, which name the command */
  constructor(commands: readonly unknown[]) {
    if (!Array.isArray(commands)) throw notSerializable("commands", commands, "an array of commands");
    this.#captured = captureAll(commands);
    const { values, bytesUpTo } = this.#captured;
    if ((bytesUpTo.at(-1) ?? 0) <= runtimeLimits.commandBytesMax) return;
    for (let index = 0; index < values.length; index++) {
      // The bound that capturing gives is generous; only what exceeds it is measured by encoding it.
      if (this.bytesAtMost(index, index + 1) <= runtimeLimits.commandBytesMax) continue;
      checkOne(`commands[${index}]`, valueCodec.encode(values[index]).byteLength);
    }
  }

  get count(): number {
    return this.#captured.values.length;
  }

  /** Upper bound of what the commands `from` to `to`, excluded, take encoded; about what they take in memory. */
  bytesAtMost(from: number, to: number): number {
    const { bytesUpTo } = this.#captured;
    return (bytesUpTo[to - 1] ?? 0) - (bytesUpTo[from - 1] ?? 0);
  }

  /** The commands `from` to `to`, excluded. */
  slice(from: number, to: number): unknown[] {
    return this.#captured.values.slice(from, to);
  }

  /** Appends the commands `from` to `to`, excluded. */
  appendTo(commands: unknown[], from: number, to: number): void {
    const { values } = this.#captured;
    for (let index = from; index < to; index++) commands.push(values[index]);
  }
}

/** Commands as bytes. They are the caller's until {@link keep} is called. */
export class CommandBytes {
  #bytes: Uint8Array;
  #layout: ByteLayout;
  /** Commands that are not kept any more, at the beginning. */
  #dropped = 0;
  readonly count: number;

  /** @throws SynodError `NOT_SERIALIZABLE`, `INVALID_OPTIONS`, `COMMAND_TOO_LARGE` */
  constructor(bytes: Uint8Array, layout: Partial<Record<"recordBytes" | "offsets", unknown>>) {
    if (!(bytes instanceof Uint8Array)) throw notSerializable("bytes", bytes, "a Uint8Array");
    this.#bytes = bytes;
    const { recordBytes, offsets } = layout as { recordBytes?: number; offsets?: ArrayLike<number> };
    if ((recordBytes === undefined) === (offsets === undefined)) {
      throw invalid(
        "recordBytes",
        recordBytes,
        "one of recordBytes and offsets, which say where commands begin",
      );
    }
    if (recordBytes !== undefined) {
      if (!Number.isInteger(recordBytes) || recordBytes < 1)
        throw invalid("recordBytes", recordBytes, "a whole number");
      checkOne("bytes[0]", recordBytes);
      this.count = bytes.byteLength / recordBytes;
      if (!Number.isInteger(this.count)) {
        throw invalid(
          "recordBytes",
          recordBytes,
          `a divisor of the ${bytes.byteLength} bytes that are given`,
        );
      }
      this.#layout = { recordBytes };
    } else {
      const starts = checkedOffsets(offsets!, bytes.byteLength);
      this.count = starts.length;
      this.#layout = { offsets: starts };
    }
  }

  /** What the commands `from` to `to`, excluded, take. */
  bytesAtMost(from: number, to: number): number {
    return to > from ? this.#startOf(to) - this.#startOf(from) : 0;
  }

  encode(from: number, to: number): Uint8Array {
    return encodeBytes(this.#bytes, this.#layout, from - this.#dropped, to - this.#dropped);
  }

  /** Copies the commands from `from` on: the caller may change the others from now on, and these too. */
  keep(from: number): void {
    const start = this.#startOf(from);
    if ("offsets" in this.#layout) {
      const kept = Uint32Array.from(this.#layout.offsets).subarray(from - this.#dropped);
      this.#layout = { offsets: kept.map(offset => offset - start) };
    }
    // Not slice(): that of a Buffer shares its memory.
    this.#bytes = new Uint8Array(this.#bytes.subarray(start));
    this.#dropped = from;
  }

  #startOf(command: number): number {
    const index = command - this.#dropped;
    if ("recordBytes" in this.#layout) return index * this.#layout.recordBytes;
    return index < this.#layout.offsets.length ? this.#layout.offsets[index]! : this.#bytes.byteLength;
  }
}

/** A copy: nobody changes it between the check and the use. */
function checkedOffsets(offsets: ArrayLike<number>, byteLength: number): Uint32Array {
  const starts = Uint32Array.from(offsets);
  for (let index = 0; index < starts.length; index++) {
    const start = starts[index]!;
    const end = starts[index + 1] ?? byteLength;
    const isFirst = index > 0 || start === 0;
    if (!isFirst || start !== offsets[index] || end < start) {
      throw invalid(
        `offsets[${index}]`,
        offsets[index],
        `where a command begins: ascending, from 0 to ${byteLength}`,
      );
    }
    checkOne(`bytes[${index}]`, end - start);
  }
  if (starts.length === 0 && byteLength > 0) throw invalid("offsets", [], "where each command begins");
  return starts;
}

/** Nothing is sent when one of many commands is too large. */
function checkOne(path: string, bytes: number): void {
  checkSize(path, bytes, path);
}

function notSerializable(path: string, found: unknown, wanted: string): SynodError {
  const shown = found === null ? "null" : typeof found;
  const message = `${path} is ${shown}; it must be ${wanted}`;
  return new SynodError("NOT_SERIALIZABLE", message, { path, outcome: "not-applied" });
}
