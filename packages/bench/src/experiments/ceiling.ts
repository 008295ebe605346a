import { captureCommand, commandCodec } from "@synod/runtime/internal";
import { checkAudit } from "../cluster-subject.js";
import { type Experiment, type Subject, VerificationError } from "../experiment.js";
import type { LoadCommand } from "../load.js";
import { batchCommandsMax } from "../options.js";
import { type Audit, VerifyingStore } from "../verifying-store.js";

type Resolve = (value: unknown) => void;

/** The event loop gets a turn this often, in milliseconds, so that an interrupt is heard. */
const eventLoopTurnMs = 20;

let lastResolve: Resolve;
const executor = (resolve: Resolve): void => {
  lastResolve = resolve;
};

/** What a client and two learners do with a command, in one thread, with nothing in between. */
class Ceiling implements Subject {
  readonly #stores = [new VerifyingStore(), new VerifyingStore()] as const;
  readonly #commandsMax: number;
  #commands: unknown[] = [];
  #resolves: Resolve[] = [];
  #flushScheduled = false;
  #instance = 0;
  #turnAt = 0;

  constructor(commandsMax: number) {
    this.#commandsMax = commandsMax;
  }

  readonly propose = (command: LoadCommand): Promise<unknown> => {
    const { value } = captureCommand(command);
    const promise = new Promise(executor);
    this.#commands.push(value);
    this.#resolves.push(lastResolve);
    if (this.#commands.length >= this.#commandsMax) this.#flush();
    else this.#schedule();
    return promise;
  };

  async verify(acknowledged: number): Promise<void> {
    const [first, second] = this.#stores;
    for (const store of this.#stores) checkAudit(store.query({ op: "audit" }) as Audit, acknowledged);
    if (JSON.stringify([...first.snapshot()]) === JSON.stringify([...second.snapshot()])) return;
    throw new VerificationError("the two stores differ");
  }

  async counts(): Promise<undefined> {}

  async traced(): Promise<undefined> {}

  async close(): Promise<void> {}

  #schedule(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    const now = performance.now();
    if (now - this.#turnAt < eventLoopTurnMs) {
      process.nextTick(this.#flushAtEndOfTurn);
      return;
    }
    setImmediate(() => {
      this.#turnAt = performance.now();
      this.#flushAtEndOfTurn();
    });
  }

  readonly #flushAtEndOfTurn = (): void => {
    this.#flushScheduled = false;
    if (this.#commands.length > 0) this.#flush();
  };

  #flush(): void {
    const bytes = commandCodec.encode(this.#commands);
    const resolves = this.#resolves;
    this.#commands = [];
    this.#resolves = [];
    const [first, second] = this.#stores;
    const results = this.#applyAll(first, bytes);
    this.#applyAll(second, bytes);
    this.#instance += resolves.length;
    for (let index = 0; index < resolves.length; index++) resolves[index]!(results[index]);
  }

  #applyAll(store: VerifyingStore, bytes: Uint8Array): number[] {
    const commands = commandCodec.decode(bytes) as LoadCommand[];
    const at = { instance: 0, timeMs: 0 };
    const results = new Array<number>(commands.length);
    for (let index = 0; index < commands.length; index++) {
      at.instance = this.#instance + index;
      results[index] = store.apply(commands[index]!, at);
    }
    return results;
  }
}

/** No consensus: the same commands, encoded, decoded and applied twice, and acknowledged, in one thread. */
export const ceiling: Experiment = {
  id: "ceiling",
  adds: "no consensus, one thread",
  consensusMessages: () => null,
  start: async options => new Ceiling(batchCommandsMax(options)),
};
