import { limits } from "../limits.js";
import type { AcceptMessage, ProgressMessage } from "../messages.js";

interface HeardPin {
  readonly instance: number;
  readonly since: number;
}

/** What may be trimmed, as plainly as possible: by what was published, and by what each proposer has been told. */
export class TrimModel {
  readonly #tailInstances: number;
  readonly #require: (holds: boolean, invariant: string) => void;
  #publishedBelow: number;
  /** By proposer, then by learner. */
  readonly #pins = new Map<number, Map<number, HeardPin>>();

  constructor(
    firstInstance: number,
    tailInstances: number,
    require: (holds: boolean, invariant: string) => void,
  ) {
    this.#publishedBelow = firstInstance;
    this.#tailInstances = tailInstances;
    this.#require = require;
  }

  /** A complete snapshot that holds everything below `instance` outlives its learner. */
  onPublished(instance: number): void {
    this.#publishedBelow = Math.max(this.#publishedBelow, instance);
  }

  onTrim(below: number): void {
    this.#require(below <= this.#publishedBelow, "nothing is trimmed above the newest published snapshot");
  }

  /** A learner that has applied everything below `appliedBelow` says what may be trimmed. */
  onReport(trimBelow: number, appliedBelow: number): void {
    const isKept = trimBelow === 0 || trimBelow + this.#tailInstances <= appliedBelow;
    this.#require(isKept, "a tail of the log is kept above what is trimmed");
  }

  onHeard(proposer: number, learner: number, { pinnedAt }: ProgressMessage, now: number): void {
    const pins = this.#pins.get(proposer) ?? new Map<number, HeardPin>();
    this.#pins.set(proposer, pins);
    if (pinnedAt < 0) pins.delete(learner);
    else if (pins.get(learner)?.instance !== pinnedAt) pins.set(learner, { instance: pinnedAt, since: now });
  }

  onAccept(proposer: number, { trimBelow }: AcceptMessage, now: number): void {
    for (const { instance, since } of this.#pins.get(proposer)?.values() ?? []) {
      const isKept = trimBelow <= instance || now >= since + limits.restorePinMs;
      this.#require(isKept, "what a learner needs after its snapshot is not trimmed");
    }
  }

  onProposerCrash(proposer: number): void {
    this.#pins.delete(proposer);
  }
}
