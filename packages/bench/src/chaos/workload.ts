import { Random } from "@synod/core/testing";
import { type Outcome, SynodError } from "@synod/runtime";
import { monotonicMs } from "@synod/runtime/internal";
import type { CellInput, CellOutput } from "./cell-model.js";
import { type Generations, generationOf } from "./history-check.js";
import type { JournalWriter } from "./journal.js";
import type { Ledger } from "./ledger.js";
import { type ChaosCommand, type ChaosQuery, shards } from "./machine.js";
import { OrderCheck } from "./order-check.js";

/** When a caller gives up. */
interface Patience {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** What the workload needs of a client. */
export interface WorkloadClient {
  propose(command: ChaosCommand, options: Patience): Promise<unknown>;
  query(query: ChaosQuery, options: Patience & { readonly consistency: "linearizable" }): Promise<unknown>;
}

export interface WorkloadOptions {
  readonly seed: number;
  /** The client's number, which nothing else in the run has. */
  readonly client: number;
  /** Commands that are only counted, under way at once. */
  readonly inFlight: number;
  /** Lanes of checked operations, one operation after the other in each. */
  readonly checkedLanes: number;
  /** Cells among which the lanes of all clients are spread. */
  readonly slots: number;
  readonly generations: Generations;
  /** All but impatient operations wait for so long, in milliseconds. */
  readonly timeoutMs: number;
}

/** A lane waits up to so long between two operations, in milliseconds: checking must not take the cores. */
const thinkMsMax = 8;
/** Operations that are called at this distance, in milliseconds, show when a fault is over. */
const probeMs = 5;
/** Probes under way at once: some seconds without an answer. */
const probesMax = 512;
/** One checked operation of so many gives up early, which must leave no gap in the session. */
const impatientOneOf = 64;
/** For so long it waits, in milliseconds. */
const impatienceMs = { min: 1, max: 60 };
/** After a failure a lane waits so long, in milliseconds, so that it does not spin while everything is refused. */
const afterFailureMs = 10;
/** What callers have to expect when threads die under them. */
const expectedCodes = new Set(["TIMEOUT", "NO_QUORUM", "ABORTED", "OVERLOADED"]);

/** What one client thread does: checked operations on cells, counted ones as load, and probes. */
export class Workload {
  readonly #client: WorkloadClient;
  readonly #journal: JournalWriter;
  readonly #ledger: Ledger;
  readonly #options: WorkloadOptions;
  readonly #onViolation: (text: string) => void;
  readonly #random: Random;
  readonly #order = new OrderCheck();
  readonly #running = new Set<Promise<void>>();
  readonly #errors = new Map<string, number>();
  #values = 0;
  #probes = 0;
  #probeTimer: NodeJS.Timeout | undefined;
  #stopping = false;

  constructor(
    client: WorkloadClient,
    journal: JournalWriter,
    ledger: Ledger,
    options: WorkloadOptions,
    onViolation: (text: string) => void,
  ) {
    this.#client = client;
    this.#journal = journal;
    this.#ledger = ledger;
    this.#options = options;
    this.#onViolation = onViolation;
    this.#random = new Random(options.seed + options.client);
  }

  /** How many operations failed, by the error's code. */
  get errors(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#errors);
  }

  start(): void {
    const { checkedLanes, inFlight } = this.#options;
    for (let lane = 0; lane < checkedLanes; lane++) this.#run(this.#checkedLane(lane, this.#random.fork()));
    for (let lane = 0; lane < inFlight; lane++) this.#run(this.#countingLane(Number.POSITIVE_INFINITY));
    this.#probeTimer = setInterval(() => this.#probe(), probeMs);
  }

  /** For some time, in milliseconds, so many times as many counted commands are under way. */
  burst(factor: number, durationMs: number): void {
    const untilMs = monotonicMs() + durationMs;
    const lanes = this.#options.inFlight * (factor - 1);
    for (let lane = 0; lane < lanes; lane++) this.#run(this.#countingLane(untilMs));
  }

  /** Calls nothing new, and resolves when everything has settled. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#probeTimer);
    await Promise.all(this.#running);
  }

  #run(lane: Promise<void>): void {
    this.#running.add(lane);
    void lane.then(() => this.#running.delete(lane));
  }

  async #checkedLane(lane: number, random: Random): Promise<void> {
    const { slots, generations } = this.#options;
    // What it saw last of its present cell: a cas that expects it has a chance.
    let seen = 0;
    let seenIn = -1;
    for (;;) {
      await pause(random.between(0, thinkMsMax));
      if (this.#stopping) return;
      if (!this.#journal.hasRoom) continue;
      const isQuery = random.chance(0.5);
      const patience = this.#drawPatience(random);
      const calledAtMs = monotonicMs();
      const generation = generationOf(generations, calledAtMs);
      if (generation !== seenIn) seen = 0;
      seenIn = generation;
      const slot = (lane + generation) % slots;
      const input = this.#drawInput(random, seen);
      const number = this.#journal.call(calledAtMs, generation, slot, input);
      try {
        const output = await this.#perform(generation, slot, input, isQuery, patience);
        this.#journal.returned(number, monotonicMs(), output);
        seen = typeof output === "number" ? output : "value" in input && output ? input.value : seen;
      } catch (error) {
        this.#journal.failed(number, monotonicMs(), this.#outcomeOf(error));
        await pause(afterFailureMs);
      }
    }
  }

  #drawPatience(random: Random): Patience {
    const { timeoutMs } = this.#options;
    if (random.below(impatientOneOf) > 0) return { timeoutMs };
    const ms = random.between(impatienceMs.min, impatienceMs.max);
    return random.chance(0.5) ? { timeoutMs: ms } : { timeoutMs, signal: AbortSignal.timeout(ms) };
  }

  /** Values of their own, far enough apart for increments between them: what is read tells who wrote it. */
  #drawInput(random: Random, seen: number): CellInput {
    const value = (++this.#values * 1024 + this.#options.client) * 1024;
    const draw = random.below(10);
    if (draw < 4) return { kind: "get" };
    if (draw < 6) return { kind: "set", value };
    if (draw < 8) return { kind: "cas", expected: seen, value };
    return { kind: "increment" };
  }

  #perform(
    generation: number,
    slot: number,
    input: CellInput,
    isQuery: boolean,
    patience: Patience,
  ): Promise<Exclude<CellOutput, undefined>> {
    const cell = { generation, slot };
    const answer =
      input.kind === "get" && isQuery
        ? this.#client.query({ op: "get", ...cell }, { consistency: "linearizable", ...patience })
        : this.#client.propose(commandOf(cell, input), patience);
    return answer as Promise<Exclude<CellOutput, undefined>>;
  }

  async #countingLane(untilMs: number): Promise<void> {
    while (!this.#stopping && monotonicMs() < untilMs) {
      if (!(await this.#count())) await pause(afterFailureMs);
    }
  }

  #probe(): void {
    if (this.#probes >= probesMax) return;
    this.#probes++;
    this.#run(this.#countAsProbe());
  }

  async #countAsProbe(): Promise<void> {
    const calledAtMs = monotonicMs();
    if (await this.#count()) this.#journal.probe(calledAtMs, monotonicMs());
    this.#probes--;
  }

  /** Whether it was acknowledged. */
  async #count(): Promise<boolean> {
    const { client: counter, timeoutMs } = this.#options;
    const number = this.#order.called();
    this.#ledger.called();
    let wrong: string | undefined;
    try {
      const command = { op: "count", counter, shard: number % shards } as const;
      const value = (await this.#client.propose(command, { timeoutMs })) as number;
      this.#ledger.acknowledged(value, monotonicMs());
      wrong = this.#order.settled(number, value);
      return true;
    } catch (error) {
      const outcome = this.#outcomeOf(error);
      this.#ledger.failed(outcome);
      wrong = this.#order.settled(number, outcome);
      return false;
    } finally {
      if (wrong !== undefined) this.#onViolation(`client ${counter}: ${wrong}`);
    }
  }

  #outcomeOf(error: unknown): Outcome {
    const code = error instanceof SynodError ? error.code : "none";
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1);
    if (!expectedCodes.has(code))
      this.#onViolation(`client ${this.#options.client}: an operation failed with ${error}`);
    if (error instanceof SynodError && error.outcome !== undefined) return error.outcome;
    this.#onViolation(`client ${this.#options.client}: an error says nothing about the outcome: ${error}`);
    return "unknown";
  }
}

function commandOf(
  cell: { readonly generation: number; readonly slot: number },
  input: CellInput,
): ChaosCommand {
  const { kind: op, ...rest } = input;
  return { op, ...cell, ...rest } as ChaosCommand;
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
