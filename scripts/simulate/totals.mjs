import { counterNames, noCounters } from "@synod/core/testing";

/**
 * @typedef {object} Part
 * @property {number} seeds
 * @property {number} steps
 * @property {import("@synod/core/testing").Counters} counters
 */

/** What all runs together have done since the start. */
export class Totals {
  seeds = 0;
  steps = 0;
  #counters = noCounters();
  #startMs = performance.now();

  /** @param {Part} part */
  add({ seeds, steps, counters }) {
    this.seeds += seeds;
    this.steps += steps;
    for (const name of counterNames) this.#counters[name] += counters[name];
  }

  get seconds() {
    return (performance.now() - this.#startMs) / 1000;
  }

  get stepsPerSecond() {
    return Math.round(this.steps / this.seconds);
  }

  /** Counters that stayed zero. */
  get missing() {
    return counterNames.filter(name => this.#counters[name] === 0);
  }

  /** One line each; `noteMissing` for runs that should see everything. */
  describe({ noteMissing = false } = {}) {
    const lines = counterNames.map(name => {
      const count = this.#counters[name];
      const note = noteMissing && count === 0 ? "  never happened: this run proves little" : "";
      return `${name.padEnd(20)} ${count}${note}`;
    });
    return [
      `${this.steps} steps in ${this.seconds.toFixed(1)} s, ${this.stepsPerSecond} steps/s`,
      ...lines,
    ].join("\n");
  }
}
