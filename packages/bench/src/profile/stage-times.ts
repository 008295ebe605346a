import { stampsOf } from "@synod/runtime/internal";
import { latencyHistogram, record } from "../load.js";

/** What lies between two stamps: a hop from one thread to the next, or the work of one. */
interface Stage {
  readonly name: string;
  readonly kind: "hop" | "work";
  /** Which of the five parts of a commit it belongs to. */
  readonly part: StagePart;
}

export const stageParts = ["client queue", "proposer", "acceptors", "learner", "reply"] as const;
type StagePart = (typeof stageParts)[number];

/** In order; one fewer than the stamps. */
export const stages: readonly Stage[] = [
  { name: "the client's queue", kind: "work", part: "client queue" },
  { name: "from the client to the proposer", kind: "hop", part: "proposer" },
  { name: "the proposer", kind: "work", part: "proposer" },
  { name: "from the proposer to the acceptors", kind: "hop", part: "acceptors" },
  { name: "the acceptors", kind: "work", part: "acceptors" },
  { name: "from the acceptors to the learner", kind: "hop", part: "learner" },
  { name: "the learner", kind: "work", part: "learner" },
  { name: "from the learner to the client", kind: "hop", part: "reply" },
  { name: "settling at the client", kind: "work", part: "reply" },
];

/** Times of a stage, or of the whole, in milliseconds. */
interface StageFigures {
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One of the five parts, divided into what it waits in mailboxes and the rest. */
interface PartFigures extends StageFigures {
  readonly part: StagePart;
  readonly hopMeanMs: number;
  readonly workMeanMs: number;
}

export interface StageReport {
  /** Commands that were timed, one of each batch that was. */
  readonly samples: number;
  readonly stages: readonly (Stage & StageFigures)[];
  readonly parts: readonly PartFigures[];
  /** From the call to the answer: its mean is the sum of the means of the stages. */
  readonly whole: StageFigures;
}

/** A histogram with an exact mean. */
class Times {
  readonly #histogram = latencyHistogram();
  #sumMs = 0;
  #count = 0;

  record(ms: number): void {
    record(this.#histogram, ms);
    this.#sumMs += ms;
    this.#count += 1;
  }

  read(): StageFigures {
    const percentile = (at: number) =>
      this.#count === 0 ? 0 : this.#histogram.getValueAtPercentile(at) / 1000;
    const meanMs = this.#count === 0 ? 0 : this.#sumMs / this.#count;
    return { meanMs, p50Ms: percentile(50), p99Ms: percentile(99) };
  }
}

/** Gathers the times of sampled commands, stage by stage. */
export class StageRecorder {
  readonly #stages = stages.map(() => new Times());
  readonly #parts = new Map(stageParts.map(part => [part, new Times()]));
  readonly #whole = new Times();
  #samples = 0;

  /** One command's times at each of `stampsOf`, in milliseconds. */
  readonly add = (timesMs: readonly number[]): void => {
    this.#samples += 1;
    const parts = new Map<StagePart, number>();
    stages.forEach(({ part }, index) => {
      const ms = (timesMs[index + 1] as number) - (timesMs[index] as number);
      this.#stages[index]?.record(ms);
      parts.set(part, (parts.get(part) ?? 0) + ms);
    });
    for (const [part, ms] of parts) this.#parts.get(part)?.record(ms);
    this.#whole.record((timesMs[stampsOf.length - 1] as number) - (timesMs[0] as number));
  };

  read(): StageReport {
    const measured = stages.map((stage, index) => ({ ...stage, ...(this.#stages[index] as Times).read() }));
    const parts = stageParts.map(part => {
      const meanOf = (kind: Stage["kind"]) =>
        measured.reduce(
          (sum, stage) => (stage.part === part && stage.kind === kind ? sum + stage.meanMs : sum),
          0,
        );
      const figures = (this.#parts.get(part) as Times).read();
      return { part, ...figures, hopMeanMs: meanOf("hop"), workMeanMs: meanOf("work") };
    });
    return { samples: this.#samples, stages: measured, parts, whole: this.#whole.read() };
  }
}
