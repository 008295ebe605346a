import { fork } from "node:child_process";
import { once } from "node:events";

/** Runs a module in a process of its own, which answers with {@link answer}. @throws Error when it ends without */
export async function inOwnProcess<Answer>(module: URL, args: readonly string[]): Promise<Answer> {
  const child = fork(module, args);
  const gone = once(child, "exit").then(([code, signal]) => {
    throw new Error(
      `the process ${[module.pathname, ...args].join(" ")} ended with ${code ?? signal}, without a result`,
    );
  });
  gone.catch(() => undefined);
  const [found] = (await Promise.race([once(child, "message"), gone])) as [Answer];
  await gone.catch(() => undefined);
  return found;
}

const parentHasGone = (): never => process.exit(1);

/** In that process, first of all: nobody waits for the answer of one whose parent has gone. */
export function endWithParent(): void {
  process.once("disconnect", parentHasGone);
  if (process.connected === false) parentHasGone();
}

/** In that process, last of all. Prints it when the process was started by hand. */
export function answer(value: object): void {
  process.off("disconnect", parentHasGone);
  if (process.send === undefined) console.log(JSON.stringify(value));
  else process.send(value);
  process.disconnect?.();
}
