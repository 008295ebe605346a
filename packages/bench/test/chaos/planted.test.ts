import { setImmediate } from "node:timers/promises";
import { SynodError } from "@synod/runtime";
import { monotonicMs } from "@synod/runtime/internal";
import { describe, expect, test } from "vitest";
import { checkCounts } from "../../dist/chaos/count-check.js";
import { HistoryCheck } from "../../dist/chaos/history-check.js";
import { createJournal, JournalReader, JournalWriter } from "../../dist/chaos/journal.js";
import { createLedger, Ledger } from "../../dist/chaos/ledger.js";
import { type ChaosCommand, ChaosMachine, type ChaosQuery, type Totals } from "../../dist/chaos/machine.js";
import { Workload, type WorkloadClient } from "../../dist/chaos/workload.js";

/** Operations on cells after which a run ends. */
const cellOperations = 400;

/** A cluster without threads, of which all clients use one machine. */
class Fake implements WorkloadClient {
  readonly machine = new ChaosMachine();
  readonly enough: Promise<void>;
  #operations = 0;
  #counts = 0;
  #onEnough!: () => void;

  constructor() {
    this.enough = new Promise(resolve => {
      this.#onEnough = resolve;
    });
  }

  async propose(command: ChaosCommand): Promise<unknown> {
    await setImmediate();
    const nth = command.op === "count" ? ++this.#counts : this.#next();
    const result = this.apply(command, nth);
    await setImmediate();
    return result;
  }

  async query(query: ChaosQuery): Promise<unknown> {
    await setImmediate();
    const result = this.read(query, this.#next());
    await setImmediate();
    return result;
  }

  /** Of commands that are only counted, or of the others, this is the n-th. */
  protected apply(command: ChaosCommand, _nth: number): unknown {
    return this.machine.apply(command);
  }

  protected read(query: ChaosQuery, _nth: number): unknown {
    return this.machine.query(query);
  }

  #next(): number {
    this.#operations++;
    if (this.#operations >= cellOperations) this.#onEnough();
    return this.#operations;
  }
}

const isCount = (command: ChaosCommand) => command.op === "count";

class LosesAnIncrement extends Fake {
  protected override apply(command: ChaosCommand, nth: number): unknown {
    if (!isCount(command) || nth !== 100) return super.apply(command, nth);
    const { counters } = this.machine.query({ op: "totals" }) as Totals;
    return (new Map(counters).get("counter" in command ? command.counter : 0) ?? 0) + 1;
  }
}

class AppliesTwice extends Fake {
  protected override apply(command: ChaosCommand, nth: number): unknown {
    const result = super.apply(command, nth);
    if (isCount(command) && nth === 100) super.apply(command, nth);
    return result;
  }
}

class AppliesWhatItDenies extends Fake {
  protected override apply(command: ChaosCommand, nth: number): unknown {
    const result = super.apply(command, nth);
    if (isCount(command) && nth === 100) {
      throw new SynodError("TIMEOUT", "planted", { outcome: "not-applied" });
    }
    return result;
  }
}

class AnswersOutOfOrder extends Fake {
  #kept: number | undefined;

  protected override apply(command: ChaosCommand, nth: number): unknown {
    const result = super.apply(command, nth);
    if (!isCount(command) || nth < 100) return result;
    const answer = this.#kept ?? result;
    this.#kept = result as number;
    return answer;
  }
}

class ReadsStale extends Fake {
  readonly #seen = new Map<string, unknown>();

  protected override read(query: ChaosQuery, nth: number): unknown {
    const key = JSON.stringify(query);
    if (!this.#seen.has(key)) this.#seen.set(key, super.read(query, nth));
    return this.#seen.get(key);
  }
}

class ForgetsASet extends Fake {
  protected override apply(command: ChaosCommand, nth: number): unknown {
    return command.op === "set" && nth > 100 ? command.value : super.apply(command, nth);
  }
}

class ReplacesWithoutLooking extends Fake {
  protected override apply(command: ChaosCommand, nth: number): unknown {
    if (command.op !== "cas") return super.apply(command, nth);
    super.apply({ ...command, op: "set" }, nth);
    return true;
  }
}

class Refuses extends Fake {
  protected override apply(command: ChaosCommand, nth: number): unknown {
    if (nth !== 100) return super.apply(command, nth);
    throw new SynodError("SESSION_EXPIRED", "planted", { outcome: "unknown" });
  }
}

/** Two clients' workloads on it, and every check. */
async function findings(
  fake: Fake,
): Promise<{ violations: string[]; operations: number; unsettled: number }> {
  const violations: string[] = [];
  const originMs = monotonicMs();
  const generations = { originMs, durationMs: 50 };
  const history = new HistoryCheck(generations, text => violations.push(text));
  const clients = [1, 2].map(client => {
    const journal = createJournal();
    const ledger = new Ledger(createLedger(1), originMs);
    history.add(client, originMs);
    const options = { seed: 1, client, inFlight: 2, checkedLanes: 4, slots: 1, generations, timeoutMs: 1000 };
    const onViolation = (text: string) => violations.push(text);
    const workload = new Workload(fake, new JournalWriter(journal), ledger, options, onViolation);
    workload.start();
    return { client, workload, ledger, reader: new JournalReader(journal) };
  });
  await fake.enough;
  for (const { workload } of clients) await workload.stop();
  for (const { client, reader } of clients) {
    for (const record of reader.take()) history.record(client, record);
  }
  const unsettled = history.open;
  history.check(true);
  const counts = new Map(clients.map(({ client, ledger }) => [client, ledger.read()]));
  violations.push(...checkCounts(fake.machine.query({ op: "totals" }) as Totals, counts).violations);
  return { violations, operations: history.counts.operations, unsettled };
}

test("a machine without faults passes, and was really checked", async () => {
  const { violations, operations, unsettled } = await findings(new Fake());
  expect(violations).toEqual([]);
  expect(operations).toBeGreaterThanOrEqual(cellOperations);
  expect(unsettled).toBe(0);
});

describe("the checks find", () => {
  test.each([
    ["a lost increment", LosesAnIncrement, /counter of client \d is|increment \d+ of a session returned/],
    [
      "one that was applied twice",
      AppliesTwice,
      /counter of client \d is|increment \d+ of a session returned/,
    ],
    ["an effect that was denied", AppliesWhatItDenies, /increment \d+ of a session returned/],
    ["answers in another order", AnswersOutOfOrder, /increment \d+ of a session returned/],
    ["stale reads", ReadsStale, /is not linearizable/],
    ["sets that are forgotten", ForgetsASet, /is not linearizable/],
    ["a cas that does not compare", ReplacesWithoutLooking, /is not linearizable/],
    ["an error that nothing explains", Refuses, /failed with SynodError: planted/],
  ])("%s", async (_, Broken, text) => {
    const { violations } = await findings(new Broken());
    expect(violations.join("\n")).toMatch(text);
  });
});
