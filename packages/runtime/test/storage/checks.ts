import { isDeepStrictEqual } from "node:util";
import { type AcceptorRecord, type AcceptorState, recoverAcceptor } from "@synod/core";
import { Random } from "@synod/core/testing";
import type * as storage from "../../dist/storage/index.js";
import { CheckFailure, copyOf, expectNothingWritten, storesOf, tornBetween } from "../torn-memory.js";
import { RecordSource } from "./record-source.mjs";

/** The built storage, or one with a bug in it. */
export type StorageModule = typeof storage;

/** Small at first, so that the log goes round and grows again and again. */
const bytesMax = 2 ** 17;
/** Instances and record numbers pass 2^32 on the way. */
const firstInstance = 2 ** 32 - 200;
const firstRecord = 2 ** 32 - 50;

/** What a storage must give back after these records on top of a state. */
export function stateAfter(
  state: AcceptorState | undefined,
  records: readonly AcceptorRecord[],
): AcceptorState {
  return recoverAcceptor([...recordsOf(state), ...records]);
}

function recordsOf(state: AcceptorState | undefined): AcceptorRecord[] {
  if (state === undefined) return [];
  const { trimmedBelow, accepted, lease, promised } = state;
  return [
    { kind: "trim", below: trimmedBelow },
    ...accepted.map((entry): AcceptorRecord => ({ kind: "accept", entry, leaseUntil: 0 })),
    ...(lease === undefined
      ? []
      : [{ kind: "lease" as const, ballot: lease.ballot, leaseUntil: lease.until }]),
    { kind: "promise", ballot: promised },
  ];
}

export function expectSame(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const show = (value: unknown) =>
    JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? part.length : part))?.slice(0, 1000);
  throw new CheckFailure(`${what}: recovered\n${show(actual)}\ninstead of\n${show(expected)}`);
}

/** A life after the other, each of some calls of persist: every one begins with what core says. */
export function keepsWhatWasPersisted(module: StorageModule, seed: number, lives = 8): void {
  const random = new Random(seed);
  const region = module.createStorageRegion(bytesMax, firstRecord);
  let state: AcceptorState | undefined;
  for (let life = 0; life < lives; life++) {
    const opened = new module.SharedStorage(region);
    expectSame(opened.recover(), state, `seed ${seed}, life ${life}`);
    const source = new RecordSource(end => random.below(end), state, firstInstance);
    for (let call = random.below(40); call > 0; call--) {
      const records = source.next();
      opened.persist(records);
      state = stateAfter(state, records);
    }
  }
}

/**
 * Dies at every store: looks at the memory as it was before a call of persist, and as it is when the call
 * publishes. Before that store a death leaves any part of what was written in between, afterwards nothing is
 * written any more. Returns the number of deaths.
 */
export function survivesDeathAtEveryStore(module: StorageModule, seed: number, calls = 60): number {
  const random = new Random(seed);
  const region = module.createStorageRegion(bytesMax, firstRecord);
  const living = new module.SharedStorage(region);
  const source = new RecordSource(end => random.below(end), undefined, firstInstance);
  let state: AcceptorState | undefined;
  let deaths = 0;
  for (let call = 0; call < calls; call++) {
    const what = `seed ${seed}, call ${call}`;
    const before = copyOf(region);
    const records = source.next();
    const stores = storesOf([region], () => living.persist(records));
    const [[atStore] = [], ...more] = stores;
    if (atStore === undefined || more.length > 0)
      throw new CheckFailure(`${what}: ${stores.length} atomic stores`);
    for (const torn of tornBetween(before, atStore, random)) {
      expectSame(reopen(module, torn), state, `${what}, died before it published`);
      deaths += 1;
    }
    expectNothingWritten(atStore, region, what, 4);
    state = stateAfter(state, records);
    expectSame(reopen(module, copyOf(region)), state, `${what}, died after it published`);
    deaths += 1;
  }
  return deaths;
}

function reopen(module: StorageModule, region: SharedArrayBuffer): AcceptorState | undefined {
  return new module.SharedStorage(region).recover();
}

const headerBytes = 384;

/** Damages one byte of a region, again and again: a storage says so rather than give back anything else. */
export function noticesDamage(module: StorageModule, seed: number, tries = 300): void {
  const random = new Random(seed);
  const region = module.createStorageRegion(bytesMax, firstRecord);
  const living = new module.SharedStorage(region);
  const source = new RecordSource(end => random.below(end), undefined, firstInstance);
  // Without trims the log begins behind the header.
  for (let call = 0; call < 10; call++) living.persist(source.next().filter(({ kind }) => kind !== "trim"));
  const intact = living.recover();
  for (let at = 0; at < tries; at++) {
    const damaged = copyOf(region);
    const bytes = new Uint8Array(damaged);
    const position = random.below(at % 2 === 0 ? headerBytes : living.usage.bytes);
    bytes[position] = (bytes[position] as number) ^ (1 << random.below(8));
    const what = `seed ${seed}, byte ${position} damaged`;
    if (isRefused(module, damaged)) continue;
    if (position >= headerBytes) throw new CheckFailure(`${what}: not noticed`);
    // What nobody reads, such as the other header, may be damaged.
    expectSame(reopen(module, damaged), intact, what);
  }
}

function isRefused(module: StorageModule, region: SharedArrayBuffer): boolean {
  try {
    reopen(module, region);
    return false;
  } catch (error) {
    if ((error as { code?: string }).code === "STORAGE_FAILED") return true;
    throw error;
  }
}
