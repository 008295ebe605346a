import { ApplyFailure } from "@synod/core";

/** What a state machine throws travels to the client as text, at most so long. */
const reasonCharactersMax = 10_000;

export function isThenable(value: unknown): boolean {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

export function promiseFailure(value: unknown, what: string): ApplyFailure {
  // Nobody waits for it: a rejection would end the thread.
  if (value instanceof Promise) value.catch(() => undefined);
  return new ApplyFailure(`${what} is a promise; a state machine must finish before it returns`);
}

export function failure(cause: unknown): ApplyFailure {
  let reason: string;
  try {
    reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  } catch {
    reason = "something that has no text";
  }
  return new ApplyFailure(reason.slice(0, reasonCharactersMax));
}
