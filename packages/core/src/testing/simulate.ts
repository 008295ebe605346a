import { parseArgs } from "node:util";
import {
  counterNames,
  describeFailure,
  type FaultKind,
  faultKinds,
  noCounters,
  type SimulationOptions,
  shortenFailure,
  simulate,
} from "./index.js";

const { values } = parseArgs({
  // pnpm hands its own "--" on.
  args: process.argv.slice(2).filter(argument => argument !== "--"),
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "1000" },
    base: { type: "string" },
    steps: { type: "string" },
    without: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const usage = `simulate --seed N             replay one run
simulate --seeds N [--base N] run N seeds from a base; a fresh one when left out
         --steps N            steps with faults
         --without KIND,KIND  faults to leave out: ${faultKinds.join(", ")}`;

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new Error(`--${name} is a whole number, not "${text}"`);
  return number;
}

function faultKindOf(text: string): FaultKind {
  const kind = faultKinds.find(name => name === text);
  if (kind === undefined) throw new Error(`--without knows ${faultKinds.join(", ")}, not "${text}"`);
  return kind;
}

function optionsOf(seed: number): SimulationOptions {
  return {
    seed,
    ...(values.steps === undefined ? {} : { faultSteps: wholeNumber("steps", values.steps) }),
    ...(values.without === undefined ? {} : { without: values.without.split(",").map(faultKindOf) }),
  };
}

function run(): void {
  const one = values.seed !== undefined;
  const base = one
    ? wholeNumber("seed", values.seed as string)
    : wholeNumber("base", values.base ?? String(Date.now() % 1_000_000_000));
  const seeds = one ? 1 : wholeNumber("seeds", values.seeds);
  const total = noCounters();
  let steps = 0;
  const startedAt = performance.now();
  for (let seed = base; seed < base + seeds; seed++) {
    const options = optionsOf(seed);
    const result = simulate(options);
    steps += result.steps;
    for (const name of counterNames) total[name] += result.counters[name];
    if (result.violation === undefined) continue;
    console.error(describeFailure(shortenFailure(result, options)));
    process.exitCode = 1;
    return;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`${seeds} seeds from ${base}: nothing was broken`);
  console.log(`${steps} steps in ${seconds.toFixed(1)} s, ${Math.round(steps / seconds)} steps/s`);
  for (const name of counterNames) {
    const note = total[name] === 0 && !one ? "  never happened: this run proves little" : "";
    console.log(`${name.padEnd(16)} ${total[name]}${note}`);
  }
}

if (values.help) console.log(usage);
else run();
