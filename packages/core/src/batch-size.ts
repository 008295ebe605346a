/** How far batch sizes follow the load. */
export interface BatchLimits {
  /** Commands of one batch at most. */
  readonly commandsMax: number;
  /** Follow the load below that cap; otherwise fill batches up to it. */
  readonly adaptive: boolean;
}

/** So many batches are to be under way at once, so that all the threads of a commit's way are busy. */
export const batchesUnderWay = 4;
/** A message costs its threads about as much as so many commands: fewer are not worth dividing. */
const commandsPerMessage = 32;

/**
 * Commands that a batch should hold when so many are under way, waiting ones included. Few large batches would make
 * clients, leader, acceptors and learners wait for each other in turn; many small ones cost a message each.
 */
export function commandsPerBatch(commandsUnderWay: number, { commandsMax, adaptive }: BatchLimits): number {
  if (!adaptive) return commandsMax;
  return Math.min(commandsMax, Math.max(commandsPerMessage, Math.ceil(commandsUnderWay / batchesUnderWay)));
}
