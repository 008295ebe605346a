import { describeFailure, shortenFailure, simulate } from "@synod/core/testing";
import { optionsOf } from "./options.mjs";
import { Totals } from "./totals.mjs";

/**
 * One run, in this thread; returns the exit code.
 * @param {number} seed @param {import("./options.mjs").RunOptions} options
 */
export function replay(seed, options) {
  const totals = new Totals();
  const result = simulate(optionsOf(seed, options));
  if (result.violation !== undefined) {
    console.error(failureText(result, optionsOf(seed, options)));
    return 1;
  }
  totals.add({ seeds: 1, steps: result.steps, counters: result.counters });
  console.log(`seed ${seed}: nothing was broken\n${totals.describe()}`);
  return 0;
}

/**
 * The shortest failing run that is found, and how to replay it.
 * @param {import("@synod/core/testing").SimulationResult} result
 * @param {import("@synod/core/testing").SimulationOptions} options
 */
export function failureText(result, options) {
  const shortened = shortenFailure(result, options);
  const { seed, faultSteps, without = [] } = shortened.options;
  const steps = faultSteps === undefined ? "" : ` --steps ${faultSteps}`;
  const left = without.length === 0 ? "" : ` --without ${without.join(",")}`;
  return `${describeFailure(shortened)}\n\npnpm simulate --seed ${seed}${steps}${left}`;
}
