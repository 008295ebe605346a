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
const commandsPerMessage = 128;

/** A load that has fallen is forgotten by this part of the difference with each answer. */
const forgottenPerAnswer = 1 / 16;

/**
 * How large batches should be. The load is what is under way, waiting commands included: not at this moment, since
 * answers come in bursts and the next commands follow at once, but at its recent height.
 */
export class BatchSize {
  readonly #limits: BatchLimits;
  #load = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  /**
   * Commands that a batch should hold while so many are under way. Few large batches would make clients, leader,
   * acceptors and learners wait for each other in turn; many small ones cost a message each.
   */
  wanted(underWay: number): number {
    const { commandsMax, adaptive } = this.#limits;
    if (!adaptive) return commandsMax;
    if (underWay > this.#load) this.#load = underWay;
    const share = Math.ceil(this.#load / batchesUnderWay);
    return Math.min(commandsMax, Math.max(commandsPerMessage, share));
  }

  /** Something was answered, and so many are left under way. */
  answered(underWay: number): void {
    this.#load -= (this.#load - underWay) * forgottenPerAnswer;
  }
}
