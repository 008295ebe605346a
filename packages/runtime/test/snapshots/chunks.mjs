import { Random } from "@synod/core/testing";

/** The chunks of the snapshot of a number. @param {number} number */
export function chunksOf(number) {
  const random = new Random(number);
  return Array.from({ length: random.below(6) }, () => {
    const length = random.below(4) === 0 ? random.below(3000) : random.below(50);
    return Uint8Array.from({ length }, () => random.below(256));
  });
}

/** Instances pass 2^32. @param {number} number */
export const instanceOf = number => 2 ** 32 - 3 + number;

/**
 * Writes and publishes the snapshot of a number.
 *
 * @param {import("../../dist/snapshots/index.js").SnapshotWriter} writer
 * @param {number} number
 */
export function publishNumber(writer, number) {
  writer.begin();
  for (const chunk of chunksOf(number)) writer.write(chunk);
  writer.publish({ instance: instanceOf(number), commands: number * 2 });
}
