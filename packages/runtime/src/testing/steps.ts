import type { Random } from "@synod/core/testing";
import { BatchCursor } from "../batch-cursor.js";
import { encodeBytes, isBytes } from "../byte-codec.js";
import { capture } from "../capture.js";
import { commandCodec, valueCodec } from "../command-codec.js";
import type { SynodError } from "../errors.js";
import { Finding } from "./check-error.js";

/** A command with its position, and what happens around it. A step keeps all of it when others are dropped. */
export interface Step {
  /** As it travels, alone in its piece. */
  readonly commandBytes: Uint8Array;
  readonly instance: number;
  readonly timeMs: number;
  /** Asked after the command. */
  readonly queryBytes: Uint8Array | undefined;
  /** The query's time, in milliseconds: the command's own, or later, as on a log that has been idle since. */
  readonly queryTimeMs: number;
  /** After the command a snapshot is taken. */
  readonly snapshots: boolean;
  /** After the command the machine is lost: another one starts from the latest snapshot. */
  readonly restarts: boolean;
  /** Before the command time goes by: the event loop has a turn, or a day begins. */
  readonly yields: boolean;
}

/** Where commands or queries come from. */
export type Source<Value> = readonly Value[] | ((random: Random) => Value);

/** What a run is made of. */
export interface Sources {
  readonly commands: Source<unknown>;
  /** The commands are Uint8Arrays, for `applyBatch`. */
  readonly areBytes: boolean;
  readonly queries: Source<unknown> | undefined;
}

/** Positions have gaps: leaders put no-ops into the log, and other clients' sessions. */
const instanceGapMax = 3;
const timeGapMsMax = 2000;
/** A command as bytes follows the one before it in the same batch, as the next instance of the same time. */
const sameBatchChance = 0.8;
/** For so long the log may have been idle when a query is asked. */
const idleMsMax = 5000;
/** The clock of the log begins anywhere, in milliseconds. */
const firstTimeMsMax = 2 ** 40;

/** How often a run does what costs as much as the whole state or log, about, however long it is. */
const queriesPerRun = 15;
const snapshotsPerRun = 5;
const restartsPerRun = 3;
const turnsPerRun = 10;

/**
 * Adds the steps of one run. Commands of a list are taken as they are, those of a function are `generated` many.
 *
 * @throws Finding for one that cannot be encoded, after the steps before it
 */
export function makeSteps(
  steps: Step[],
  random: Random,
  { commands, queries, areBytes }: Sources,
  generated: number,
): void {
  const count = typeof commands === "function" ? generated : commands.length;
  let instance = random.below(10);
  let timeMs = random.between(0, firstTimeMsMax);
  const happens = (perRun: number) => random.chance(perRun / count);
  for (let index = 0; index < count; index++) {
    const command = typeof commands === "function" ? commands(random) : commands[index];
    const asks = queries !== undefined && happens(queriesPerRun);
    const query = asks ? drawQuery(random, queries) : undefined;
    steps.push({
      commandBytes: areBytes
        ? encodeRecord(command, steps)
        : encodeInput(command, "command", commandCodec.encode, steps),
      instance,
      timeMs,
      queryTimeMs: query && random.chance(0.5) ? timeMs + random.below(idleMsMax) : timeMs,
      queryBytes: query && encodeInput(query.value, "query", ([value]) => valueCodec.encode(value), steps),
      snapshots: happens(snapshotsPerRun),
      restarts: happens(restartsPerRun),
      yields: happens(turnsPerRun),
    });
    if (areBytes && random.chance(sameBatchChance)) {
      instance += 1;
      continue;
    }
    instance += random.between(1, instanceGapMax);
    timeMs += random.chance(0.5) ? 0 : random.below(timeGapMsMax);
  }
}

/** Each call decodes anew: no two machines are given the same object, as no two learners are. */
export function commandOf({ commandBytes }: Step): unknown {
  if (!isBytes(commandBytes)) return commandCodec.decode(commandBytes)[0];
  const batch = new BatchCursor(
    { encoded: commandBytes, skip: 0, count: 1, firstInstance: 0, timeMs: 0 },
    false,
  );
  batch.next();
  return batch.bytes.slice(batch.start, batch.end);
}

/** Steps that stand so in the log that one batch may hold them, together: commands as bytes, one behind the other. */
export function batchesOf(steps: readonly Step[]): Step[][] {
  const batches: Step[][] = [];
  let last: Step | undefined;
  for (const step of steps) {
    const follows = last !== undefined && step.instance === last.instance + 1 && step.timeMs === last.timeMs;
    if (follows) batches.at(-1)!.push(step);
    else batches.push([step]);
    last = step;
  }
  return batches;
}

function drawQuery(random: Random, queries: Source<unknown>): { readonly value: unknown } | undefined {
  if (typeof queries === "function") return { value: queries(random) };
  return queries.length === 0 ? undefined : { value: random.pick(queries) };
}

function encodeRecord(record: unknown, before: readonly Step[]): Uint8Array {
  if (record instanceof Uint8Array) return encodeBytes(record, { offsets: [0] }, 0, 1);
  const text = `record number ${before.length} is no Uint8Array, as those of applyBatch() are`;
  throw new Finding("commands and queries survive the encoding", text, { path: "record" });
}

function encodeInput(
  value: unknown,
  what: string,
  encode: (values: readonly unknown[]) => Uint8Array,
  before: readonly Step[],
): Uint8Array {
  try {
    return encode([capture(value, what)]);
  } catch (cause) {
    const { message, path = what } = cause as SynodError;
    const text = `${what} number ${before.length} is refused: ${message}`;
    throw new Finding("commands and queries survive the encoding", text, { path, cause });
  }
}
