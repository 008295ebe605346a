import { valueCodec } from "./command-codec.js";
import { type Outcome, SynodError } from "./errors.js";
import { runtimeLimits } from "./limits.js";

/** The bound that capturing gives is generous; only what exceeds it is measured by encoding it. */
export function checkCommandSize(captured: unknown, bytesAtMost: number): void {
  if (bytesAtMost <= runtimeLimits.commandBytesMax) return;
  checkSize("the command", valueCodec.encode(captured).byteLength);
}

/** @throws SynodError `COMMAND_TOO_LARGE`; `path` tells which of many it is */
export function checkSize(what: string, bytes: number, path?: string): void {
  if (bytes <= runtimeLimits.commandBytesMax) return;
  const message = `${what} takes ${bytes} bytes, more than ${runtimeLimits.commandBytesMax}: split it`;
  throw new SynodError("COMMAND_TOO_LARGE", message, {
    outcome: "not-applied",
    ...(path === undefined ? {} : { path }),
  });
}

export function abortError(signal: AbortSignal, outcome: Outcome): SynodError {
  const fate = outcome === "unknown" ? "it may still take effect" : "it was not sent";
  return new SynodError("ABORTED", `the caller's signal ended the wait for a command; ${fate}`, {
    outcome,
    cause: signal.reason,
  });
}
