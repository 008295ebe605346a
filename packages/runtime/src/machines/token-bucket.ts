import type { Expiring } from "./expiry-queue.js";
import { refusal, requireWhole } from "./fields.js";
import { machineLimits } from "./limits.js";

/** A bucket that holds `capacity` tokens at most, and gains `refillPerSecond` of them. */
export interface BucketLimit {
  /** Whole tokens that the caller wants: 1 to `capacity`. */
  readonly tokens: number;
  /** Whole tokens: 1 to 9,000,000. */
  readonly capacity: number;
  /** Tokens, to six decimal places: 0.000001 to 9,000,000. */
  readonly refillPerSecond: number;
}

/** What came of an attempt to take tokens, or would come of it. */
export interface Taken {
  readonly allowed: boolean;
  /** Whole tokens that are left. */
  readonly remaining: number;
  /** After so many milliseconds there are enough tokens, if nobody else takes any; 0 when it was allowed. */
  readonly retryAfterMs: number;
}

/**
 * All is counted in billionths of a token and whole milliseconds. A rate in millionths of a token per second is the
 * same number of billionths per millisecond, so nothing is ever rounded, and however often a bucket is looked at, it
 * neither gains nor loses by it.
 */
const unitsPerToken = 1e9;
const ratePerToken = 1e6;

/** What a bucket lacks; one that lacks nothing need not be kept. */
export interface Bucket extends Expiring {
  readonly key: string;
  version: number;
  /** Billionths of a token. */
  missing: number;
  /** When it lacked that, in whole milliseconds. */
  sinceMs: number;
  /** Billionths of a token per millisecond, which it gains since then. */
  rate: number;
}

/** A limit in the bucket's own units. */
interface Measures {
  readonly wanted: number;
  readonly capacity: number;
  readonly rate: number;
}

/** @throws TypeError for a limit that cannot be meant */
export function measuresOf({ tokens, capacity, refillPerSecond }: BucketLimit): Measures {
  const { bucketTokensMax } = machineLimits;
  requireWhole(capacity, "capacity", 1, bucketTokensMax);
  requireWhole(tokens, "tokens", 1, capacity);
  const rate = Math.round(refillPerSecond * ratePerToken);
  if (!(rate >= 1 && rate <= bucketTokensMax * ratePerToken))
    throw refusal(refillPerSecond, "refillPerSecond", `a number from 0.000001 to ${bucketTokensMax}`);
  return { wanted: tokens * unitsPerToken, capacity: capacity * unitsPerToken, rate };
}

/** What a bucket lacks at a time, in billionths of a token. One that is not kept lacks nothing. */
export function missingAt(bucket: Bucket | undefined, nowMs: number): number {
  if (bucket === undefined) return 0;
  return Math.max(0, bucket.missing - (nowMs - bucket.sinceMs) * bucket.rate);
}

/** Whether there is enough, and what would be left. */
export function judge(missing: number, { wanted, capacity, rate }: Measures): Taken {
  const lacking = missing - (capacity - wanted);
  const allowed = lacking <= 0;
  const left = Math.max(0, capacity - missing - (allowed ? wanted : 0));
  return {
    allowed,
    remaining: Math.floor(left / unitsPerToken),
    retryAfterMs: allowed ? 0 : millisecondsFor(lacking, rate),
  };
}

/** When a bucket is full again, in whole milliseconds: from then on nobody can tell it from one that is not kept. */
export function fullAtMs({ missing, sinceMs, rate }: Bucket): number {
  return sinceMs + millisecondsFor(missing, rate);
}

/** Rounded up; the quotient of two large integers may have been rounded down to a whole number. */
function millisecondsFor(units: number, rate: number): number {
  const quotient = Math.ceil(units / rate);
  return quotient * rate < units ? quotient + 1 : quotient;
}
