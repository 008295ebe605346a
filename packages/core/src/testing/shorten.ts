import { type FaultKind, faultKinds } from "./profile.js";
import { type SimulationOptions, type SimulationResult, simulate } from "./simulation.js";

export interface ShortenedFailure {
  readonly options: SimulationOptions;
  readonly result: SimulationResult;
}

/** Looks for a simpler run of the same seed that fails too: first with fewer kinds of faults, then with fewer steps. */
export function shortenFailure(failing: SimulationResult, base: SimulationOptions): ShortenedFailure {
  const faultSteps = Math.min(base.faultSteps ?? failing.profile.faultSteps, failing.steps + 1);
  let best: ShortenedFailure = { options: base, result: failing };
  const attempt = (without: readonly FaultKind[], steps: number): boolean => {
    const options = { ...base, without, faultSteps: steps };
    const result = simulate(options);
    if (result.violation === undefined || result.steps > best.result.steps) return false;
    best = { options, result };
    return true;
  };
  let without = base.without ?? [];
  for (const kind of faultKinds) {
    if (failing.profile.faults[kind] > 0 && attempt([...without, kind], faultSteps))
      without = [...without, kind];
  }
  let low = 0;
  let high = Math.min(faultSteps, best.result.steps);
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (attempt(without, middle)) high = middle;
    else low = middle;
  }
  return best;
}

/** What to print about a failure: how to repeat it, what was broken, and the last steps. */
export function describeFailure({ options, result }: ShortenedFailure): string {
  const { mode, topology, quorums } = result.profile;
  const steps = options.faultSteps === undefined ? "" : ` --steps ${options.faultSteps}`;
  const without = options.without?.length ? ` --without ${options.without.join(",")}` : "";
  const sizes = `${topology.proposers} proposers, ${topology.acceptors} acceptors`;
  return [
    `seed ${result.seed}: ${result.violation}`,
    `after ${result.steps} steps; ${mode}, ${sizes}, quorums ${quorums.prepare}/${quorums.accept}`,
    `replay: simulate --seed ${result.seed}${steps}${without}`,
    ...result.history,
  ].join("\n");
}
