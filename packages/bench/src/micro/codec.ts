import { commandCodec, decodeFrame, encodeFrame } from "@synod/runtime/internal";
import { acceptOf, commands, commandsPerBatch, commandsPerSegment } from "./samples.js";
import { type MicroKind, mustBe, timed, unbounded } from "./task.js";

/** Runs it so often, and keeps the last result, so that none is thought to be useless. */
function repeated<T>(operations: number, work: () => T, check: (last: T) => void): number {
  let last: T | undefined;
  const tookMs = timed(() => {
    for (let left = operations; left > 0; left--) last = work();
  });
  check(last as T);
  return tookMs;
}

const one = commands.slice(0, 1);
const accept = acceptOf(0);

export const codecKinds: readonly MicroKind[] = [
  encoding("encode-command", "a command in an array of its own", one),
  decoding("decode-command", "a command in an array of its own", one),
  encoding("encode-commands", `an array of ${commandsPerSegment} commands`, commands),
  decoding("decode-commands", `an array of ${commandsPerSegment} commands`, commands),
  {
    id: "codec/encode-accept",
    operation: `an Accept with ${commandsPerBatch} commands, which stay bytes`,
    operationsMax: unbounded,
    open: () => ({
      run: operations =>
        repeated(
          operations,
          () => encodeFrame(accept),
          last =>
            mustBe(
              "the frame's last field is read",
              decodeFrame(new Uint8Array(last)).message.type,
              "accept",
            ),
        ),
    }),
  },
  {
    id: "codec/decode-accept",
    operation: `an Accept with ${commandsPerBatch} commands, which stay bytes`,
    operationsMax: unbounded,
    open: () => {
      const frame = new Uint8Array(encodeFrame(accept));
      return {
        run: operations =>
          repeated(
            operations,
            () => decodeFrame(frame),
            ({ message }) => mustBe("the type of what was decoded", message.type, "accept"),
          ),
      };
    },
  },
];

function encoding(name: string, operation: string, values: readonly object[]): MicroKind {
  return {
    id: `codec/${name}`,
    operation,
    operationsMax: unbounded,
    open: () => ({
      run: operations =>
        repeated(
          operations,
          () => commandCodec.encode(values),
          last => mustBe("commands encoded", commandCodec.decode(last).length, values.length),
        ),
    }),
  };
}

function decoding(name: string, operation: string, values: readonly object[]): MicroKind {
  return {
    id: `codec/${name}`,
    operation,
    operationsMax: unbounded,
    open: () => {
      const encoded = commandCodec.encode(values);
      return {
        run: operations =>
          repeated(
            operations,
            () => commandCodec.decode(encoded),
            last => mustBe("commands decoded", last.length, values.length),
          ),
      };
    },
  };
}
