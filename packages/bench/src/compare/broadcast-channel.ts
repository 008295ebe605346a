import { once } from "node:events";
import { BroadcastChannel, Worker } from "node:worker_threads";
import { VerificationError } from "../experiment.js";
import { sumUpTo } from "../identity-sum.js";
import type { LoadCommand } from "../load.js";
import type { BroadcastReceiverSpec, Received } from "./broadcast-worker.js";
import { LoadedRival } from "./loaded-rival.js";
import type { Rival, RivalSpec } from "./rival.js";

/** As many as a default cluster has learners. */
const receivers = 2;
const auditedWithinMs = 10_000;

/**
 * Two threads with a map each, told over a BroadcastChannel; the first one acknowledges. The commands of a turn go in
 * one message, and so do their acknowledgements: one message for each is several times slower.
 */
export async function openBroadcastChannel({ payload }: RivalSpec): Promise<Rival> {
  const names = { commands: `commands ${process.pid}`, answers: `answers ${process.pid}` };
  const workers = Array.from({ length: receivers }, (_, index) => {
    const workerData: BroadcastReceiverSpec = { ...names, answers: index === 0 ? names.answers : null };
    return new Worker(new URL("./broadcast-worker.js", import.meta.url), { workerData });
  });
  await Promise.all(workers.map(worker => once(worker, "message")));
  const commands = new BroadcastChannel(names.commands);
  const answers = new BroadcastChannel(names.answers);
  let queue: LoadCommand[] = [];
  let waiting: (() => void)[] = [];
  const flush = (): void => {
    commands.postMessage(queue);
    queue = [];
  };
  answers.onmessage = event => {
    const count = (event as { readonly data: number }).data;
    const acknowledged = waiting.slice(0, count);
    waiting = waiting.slice(count);
    for (const resolve of acknowledged) resolve();
  };
  const audit = (): Promise<Received[]> =>
    Promise.all(
      workers.map(async worker => {
        worker.postMessage("audit");
        const [received] = (await once(worker, "message")) as [Received];
        return received;
      }),
    );
  return new LoadedRival(
    {
      details: `Node ${process.versions.node}, ${receivers} receiving threads`,
      propose: command =>
        new Promise<void>(resolve => {
          waiting.push(resolve);
          if (queue.push(command) === 1) process.nextTick(flush);
        }),
      async verify(acknowledged) {
        const giveUpAt = performance.now() + auditedWithinMs;
        for (;;) {
          const all = await audit();
          if (all.every(({ count, sum }) => count === acknowledged && sum === sumUpTo(acknowledged))) return;
          if (performance.now() < giveUpAt) continue;
          const counts = all.map(({ count }) => count).join(" and ");
          throw new VerificationError(`${counts} commands were received, acknowledged were ${acknowledged}`);
        }
      },
      async close() {
        commands.close();
        answers.close();
        await Promise.all(workers.map(worker => worker.terminate()));
      },
    },
    payload,
  );
}
