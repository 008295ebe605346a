import { ApplyFailure, type Result, type Results } from "@synod/core";
import { valueCodec } from "./command-codec.js";

/*
 * Results of consecutive commands travel in one piece: an encoded array, or, marked by a first byte that no msgpack
 * value begins with, numbers of eight bytes each, or nothing but how many there are. Both ends are in one process, so
 * the numbers are as they lie in memory.
 */
const marker = 0xc1;
const form = { numbers: 0, none: 1 } as const;
const headerBytes = 8;

/** Results of commands that return nothing. */
export class NoResults implements Results {
  readonly [position: number]: undefined;

  constructor(readonly length: number) {}

  slice(start: number, end: number): NoResults {
    return new NoResults(end - start);
  }
}

export interface EncodedResults {
  readonly results: Uint8Array;
  readonly failures: readonly Failure[];
}

type Failure = readonly [index: number, reason: string];

/** Failures stand beside what can be encoded. */
export function encodeResults(results: Results): EncodedResults {
  if (results instanceof Float64Array) {
    const encoded = withHeader(form.numbers, results.length, results.byteLength);
    encoded.set(new Uint8Array(results.buffer, results.byteOffset, results.byteLength), headerBytes);
    return { results: encoded, failures: [] };
  }
  if (results instanceof NoResults) {
    return { results: withHeader(form.none, results.length, 0), failures: [] };
  }
  let clean = results as readonly Result[];
  const failures: Failure[] = [];
  for (let index = 0; index < results.length; index++) {
    const result = results[index];
    if (typeof result !== "object" || !(result instanceof ApplyFailure)) continue;
    if (failures.length === 0) clean = Array.from(results);
    (clean as Result[])[index] = null;
    failures.push([index, result.reason]);
  }
  return { results: valueCodec.encode(clean), failures };
}

export function decodeResults(bytes: Uint8Array, failures: readonly Failure[]): Results {
  if (bytes[0] === marker) return decodeMarked(bytes);
  const results = valueCodec.decode(bytes) as Result[];
  for (const [index, reason] of failures) results[index] = new ApplyFailure(reason);
  return results;
}

function withHeader(formByte: number, count: number, dataBytes: number): Uint8Array {
  const encoded = new Uint8Array(headerBytes + dataBytes);
  encoded[0] = marker;
  encoded[1] = formByte;
  new DataView(encoded.buffer).setUint32(4, count);
  return encoded;
}

function decodeMarked(bytes: Uint8Array): Results {
  const count = new DataView(bytes.buffer, bytes.byteOffset, headerBytes).getUint32(4);
  if (bytes[1] === form.none) return new NoResults(count);
  // A copy: it must begin at a multiple of eight, and not keep the whole frame.
  const numbers = new Float64Array(count);
  new Uint8Array(numbers.buffer).set(bytes.subarray(headerBytes));
  return numbers;
}
