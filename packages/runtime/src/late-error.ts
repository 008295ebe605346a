import type { LateReason } from "@synod/core";
import { type Outcome, SynodError, type SynodErrorCode } from "./errors.js";

const codes: Record<LateReason, SynodErrorCode> = {
  noQuorum: "NO_QUORUM",
  storageFull: "STORAGE_FAILED",
  timeout: "TIMEOUT",
};

const causes: Record<LateReason, string> = {
  noQuorum:
    "no proposer has led for a lease or longer: look at cluster.status(), are enough acceptors and a proposer up?",
  storageFull:
    "the acceptors have no room until a snapshot lets them trim: look at cluster.status() and snapshotFailed events",
  timeout: "a leader may be at work: try again, with a longer timeoutMs if there is much to do",
};

/** A deadline has passed. `what` it was for: `a command of client-3`. */
export function lateError(what: string, reason: LateReason, outcome: Outcome): SynodError {
  const fate = outcome === "unknown" ? "it may still take effect" : "nothing has come of it";
  const message = `${what} had no answer before its deadline, ${fate}; ${causes[reason]}`;
  return new SynodError(codes[reason], message, { outcome });
}
