const endings: (() => Promise<void>)[] = [];

/** Keeps what is to be done before the process ends early. */
export function whenEnding(end: () => Promise<void>): void {
  endings.push(end);
}

let ending = false;

/** Whether the process is about to end: what fails from then on fails because of that. */
export function isEnding(): boolean {
  return ending;
}

/** Does all of it, then ends the process. */
async function endProcess(code: number): Promise<never> {
  ending = true;
  await Promise.allSettled(endings.map(end => end()));
  process.exit(code);
}

let interrupted = (): void => void endProcess(130);

/** What an interrupt does instead of ending the process; a second one ends it all the same. */
export function atInterrupt(first: () => void): void {
  interrupted = first;
}

/** Ends the process at an interrupt, and when its parent ends: npm that is told to end leaves its child running. */
export function endWhenTold(): void {
  const parent = process.ppid;
  const watching = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watching);
    void endProcess(143);
  }, 500).unref();
  process.once("SIGINT", () => {
    // Once more: at once. What was started ends when it sees that this process has.
    process.once("SIGINT", () => process.exit(130));
    interrupted();
  });
  process.once("SIGTERM", () => void endProcess(143));
}
