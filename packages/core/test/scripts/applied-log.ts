import { type AcceptedEntry, sliceBatch } from "@synod/core";
import { describeBatch } from "@synod/core/testing";
import { describeWords } from "./payload.js";

/** What a learner did with each instance, and the state machine that it did it to: a list of words. */
export class AppliedLog {
  readonly words: string[];
  /** By instance: how many words there were afterwards. */
  readonly #results = new Map<number, number>();
  readonly #entries: { readonly instance: number; readonly timeMs: number; readonly text: string }[] = [];

  /** A state machine that a snapshot was restored into holds words, of which this log does not know the instances. */
  constructor(words: readonly string[] = []) {
    this.words = [...words];
  }

  /** The state machine: the result is how many words there are. */
  apply(word: string, instance: number): number {
    this.words.push(word);
    this.#results.set(instance, this.words.length);
    return this.words.length;
  }

  /** Notes an entry that the replica has seen; returns its commands that took no effect, by instance. */
  add(entry: AcceptedEntry): readonly string[] {
    const skipped: string[] = [];
    for (let position = 0; position < entry.count; position++) {
      const instance = entry.firstInstance + position;
      const value = sliceBatch(entry.batch, position, 1);
      const text = describeBatch(value, describeWords);
      const result = this.#results.get(instance);
      const isCommand = value.segments[0]?.kind === "commands";
      if (isCommand && result === undefined) skipped.push(`${instance}: ${text}`);
      const effect = result !== undefined ? ` = ${result}` : isCommand ? " (not applied)" : "";
      this.#entries.push({ instance, timeMs: value.timeMs, text: `${text}${effect}` });
    }
    return skipped;
  }

  /** One line per instance; with the leader's clock when it made the batch, if that is asked for. */
  describe(times: boolean): readonly string[] {
    return this.#entries.map(({ instance, timeMs, text }) => {
      const time = times ? `  ${String(timeMs).padStart(4)} ms` : "";
      return `${String(instance).padStart(3)}${time}  ${text}`;
    });
  }
}
