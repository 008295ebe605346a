import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { showProgress } from "./progress.mjs";
import { Totals } from "./totals.mjs";

/**
 * @typedef {object} WorkerData
 * @property {Int32Array} progress seeds handed out; 1 once a thread has found a failure
 * @property {number} base
 * @property {number} seeds
 * @property {import("./options.mjs").RunOptions} options
 *
 * @typedef {{ kind: "part", part: import("./totals.mjs").Part }
 *   | { kind: "broken", what: string }
 *   | { kind: "failure", text: string }} WorkerMessage a failure is broken first, and told in full once it is shortened
 */

/**
 * Many runs, on threads of their own so that this one can show progress and be interrupted; resolves to the exit
 * code.
 * @param {import("./options.mjs").Options} options
 */
export async function spread(options) {
  const { seeds, base, jobs, strict } = options;
  const totals = new Totals();
  let broken = "nothing was broken in them";
  /** @param {number} exitCode */
  const interrupt = exitCode => {
    show.stop();
    console.log(`interrupted: ${totals.seeds} of ${seeds} seeds from ${base}; ${broken}`);
    console.log(totals.describe());
    process.exit(exitCode);
  };
  process.once("SIGINT", () => interrupt(130));
  process.once("SIGTERM", () => interrupt(143));
  console.error(`${seeds} seeds from ${base} on ${jobs} ${jobs === 1 ? "thread" : "threads"}`);
  const show = showProgress(totals, seeds);

  /** @type {string | undefined} */
  let failure;
  await runThreads(options, message => {
    if (message.kind === "broken") broken = message.what;
    else if (message.kind === "failure") failure = message.text;
    else {
      totals.add(message.part);
      show.update();
    }
  }).finally(show.stop);
  if (failure !== undefined) {
    console.error(failure);
    return 1;
  }
  if (totals.seeds !== seeds)
    throw new Error(`only ${totals.seeds} of ${seeds} seeds were run: a thread has gone`);
  console.log(`${seeds} seeds from ${base}: nothing was broken`);
  console.log(totals.describe({ noteMissing: true }));
  if (!strict || totals.missing.length === 0) return 0;
  console.error(`error: --strict, and these never happened: ${totals.missing.join(", ")}`);
  return 1;
}

/**
 * Resolves when all threads have ended.
 * @param {import("./options.mjs").Options} options @param {(message: WorkerMessage) => void} onMessage
 */
async function runThreads({ seeds, base, jobs, steps, without }, onMessage) {
  /** @type {WorkerData} */
  const workerData = {
    progress: new Int32Array(new SharedArrayBuffer(8)),
    base,
    seeds,
    options: { ...(steps !== undefined && { steps }), ...(without !== undefined && { without }) },
  };
  const threads = Array.from({ length: jobs }, () => {
    const worker = new Worker(new URL("./worker.mjs", import.meta.url), { workerData });
    worker.on("message", onMessage);
    return once(worker, "exit");
  });
  await Promise.all(threads);
}
