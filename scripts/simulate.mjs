// The simulator's command line: seeds spread over threads, or one seed replayed. `--help` says the rest.
import { fail, readOptions } from "./simulate/options.mjs";
import { replay } from "./simulate/replay.mjs";
import { spread } from "./simulate/spread.mjs";

/** pnpm that is told to end leaves its child running: the child sees that its parent has changed. */
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(143);
}, 500).unref();

const options = readOptions(process.argv.slice(2));
try {
  process.exitCode = options.seed === undefined ? await spread(options) : replay(options.seed, options);
} catch (error) {
  fail(error);
}
