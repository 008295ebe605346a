import { SynodError } from "./errors.js";

/** Names an option, its value and what is allowed. */
export function invalid(path: string, value: unknown, allowed: string): SynodError {
  let shown: string;
  try {
    // JSON has no NaN and no Infinity.
    shown = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  } catch {
    shown = typeof value === "bigint" ? `${value}n` : `a ${typeof value}`;
  }
  const message = `the option ${path} is ${shown}; allowed is ${allowed}`;
  return new SynodError("INVALID_OPTIONS", message, { path });
}
