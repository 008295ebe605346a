import type { Batch, Segment } from "../batch.js";

/** One instance's value, taken apart without the code under test. */
export interface InstanceValue {
  /** Everything that makes the value, in one string: equal texts are equal values. */
  readonly text: string;
  readonly kind: Segment["kind"];
  /** The leader's clock, in milliseconds. */
  readonly timeMs: number;
  readonly client: number;
  readonly session: number;
  readonly sequence: number;
  /** The command's identity; -1 for what is not a command. */
  readonly command: number;
}

/** Bytes of one encoded command: its identity. */
const commandBytes = 4;

export function encodeCommands(commands: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(commands.length * commandBytes);
  const view = new DataView(bytes.buffer);
  commands.forEach((command, index) => {
    view.setUint32(index * commandBytes, command);
  });
  return bytes;
}

/** The command at a position of encoded ones; -1 when there is none. */
export function decodeCommand(bytes: Uint8Array, position: number): number {
  const at = position * commandBytes;
  if (at < 0 || at + commandBytes > bytes.byteLength) return -1;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}

const known = new WeakMap<Batch, readonly InstanceValue[]>();

/** The values of a batch, one per instance. */
export function valuesOf(batch: Batch): readonly InstanceValue[] {
  let values = known.get(batch);
  if (values === undefined) {
    values = batch.segments.flatMap(segment => segmentValues(segment, batch.timeMs));
    known.set(batch, values);
  }
  return values;
}

function segmentValues(segment: Segment, timeMs: number): InstanceValue[] {
  const values: InstanceValue[] = [];
  const { kind } = segment;
  for (let position = 0; position < segment.count; position++) {
    const client = "client" in segment ? segment.client : -1;
    const session = "session" in segment ? segment.session : -1;
    const sequence = "firstSequence" in segment ? segment.firstSequence + position : -1;
    const command = kind === "commands" ? decodeCommand(segment.bytes, segment.skip + position) : -1;
    const answerer = "answerer" in segment ? segment.answerer : -1;
    const acknowledged = "acknowledgedBelow" in segment ? segment.acknowledgedBelow : -1;
    const text = `${timeMs}|${kind}|${client}|${session}|${sequence}|${command}|${answerer}|${acknowledged}`;
    values.push({ text, kind, timeMs, client, session, sequence, command });
  }
  return values;
}

/** A digest of 32 bits over everything that makes the values. Source: Fowler, Noll, Vo, FNV-1a. */
export function digestOf(batch: Batch): number {
  let hash = 0x811c9dc5;
  for (const { text } of valuesOf(batch)) {
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}

/** The same batch with one bit of its commands turned; `undefined` when it holds no command. */
export function corrupted(batch: Batch): Batch | undefined {
  const at = batch.segments.findIndex(({ kind }) => kind === "commands");
  const segment = batch.segments[at];
  if (segment?.kind !== "commands") return undefined;
  const bytes = segment.bytes.slice();
  bytes[segment.skip * commandBytes] = (bytes[segment.skip * commandBytes] as number) ^ 1;
  const segments = batch.segments.map((known, index) => (index === at ? { ...segment, bytes } : known));
  return { ...batch, segments };
}
