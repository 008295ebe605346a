import { expect, test } from "vitest";
import { latencyHistogram, type Propose } from "../../dist/load.js";
import { latencyUsOf } from "../../dist/sweep/buckets.js";
import { OpenLoopLoad, type PaceClock } from "../../dist/sweep/open-loop.js";

/** Time that passes only when somebody lets it, a millisecond at a time, with what is planned for it. */
class FakeClock implements PaceClock {
  #nowMs = 0;
  readonly #planned: { readonly atMs: number; readonly run: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  at(atMs: number, run: () => void): void {
    this.#planned.push({ atMs, run });
  }

  async turn(untilMs: number): Promise<void> {
    this.#nowMs = Math.max(Math.min(untilMs, this.#nowMs + 1), this.#nowMs);
    if (untilMs <= this.#nowMs) this.#nowMs += 0.01;
    await this.run();
  }

  async run(): Promise<void> {
    for (const planned of this.#planned.splice(0)) {
      if (planned.atMs <= this.#nowMs) planned.run();
      else this.#planned.push(planned);
    }
    for (let task = 0; task < 4; task++) await Promise.resolve();
  }

  get isIdle(): boolean {
    return this.#planned.length === 0;
  }
}

/** Answers after 1 ms, but nothing at all between 200 and 700 ms: everything then waits for the end of the stall. */
function stalling(clock: FakeClock): Propose {
  return () =>
    new Promise(resolve => {
      const readyMs = clock.now() + 1;
      clock.at(readyMs >= 200 && readyMs < 700 ? 700 : readyMs, () => resolve(undefined));
    });
}

test("a server that stalls for half of the time shows it in half of the commands", async () => {
  const clock = new FakeClock();
  const load = new OpenLoopLoad(stalling(clock), 0, 1000, clock);
  const histogram = latencyHistogram();
  const slice = await load.slice(0, 1000, histogram);
  const { p50, p90, max, histogram: buckets } = latencyUsOf(histogram);
  expect(histogram.totalCount).toBe(1000);
  // Those due between 200 and 700 ms wait for what is left of the stall: up to half a second, evenly.
  expect(max).toBeGreaterThan(490_000);
  expect(p90).toBeGreaterThan(390_000);
  expect(p90).toBeLessThan(410_000);
  expect(p50).toBeLessThan(10_000);
  const slow = buckets.filter(([us]) => us > 10_000).reduce((sum, [, count]) => sum + count, 0);
  expect(slow).toBeGreaterThan(480);
  expect(slow).toBeLessThan(500);
  expect(slice.durationMs).toBeGreaterThanOrEqual(1000);
  expect(load.waiting).toBe(0);
});

test("a closed-loop client hardly notices the same stall, which is why there is an open loop", async () => {
  const clock = new FakeClock();
  const propose = stalling(clock);
  let slow = 0;
  let commands = 0;
  const client = (async () => {
    while (clock.now() < 1000) {
      const calledMs = clock.now();
      await propose({ op: "set", key: "a", value: ++commands });
      if (clock.now() - calledMs > 10) slow++;
    }
  })();
  while (!clock.isIdle) await clock.turn(clock.now() + 1);
  await client;
  expect(commands).toBeGreaterThan(400);
  expect(slow).toBe(1);
});

test("what is due counts from when it was due, however late the thread that proposes comes", async () => {
  const clock = new FakeClock();
  const late: PaceClock = {
    now: () => clock.now(),
    turn: async () => {
      for (let ms = 0; ms < 50; ms++) await clock.turn(clock.now() + 1);
    },
  };
  const propose: Propose = () => Promise.resolve();
  const histogram = latencyHistogram();
  await new OpenLoopLoad(propose, 0, 1000, late).slice(0, 500, histogram);
  const { mean, max } = latencyUsOf(histogram);
  expect(max).toBeGreaterThan(48_000);
  expect(mean).toBeGreaterThan(20_000);
});

test("of a server that never answers, commands beyond the bound wait, and are counted with their waiting", async () => {
  const clock = new FakeClock();
  const open: (() => void)[] = [];
  const propose: Propose = () => new Promise<void>(resolve => void open.push(resolve));
  const load = new OpenLoopLoad(propose, 0, 100_000, clock);
  const histogram = latencyHistogram();
  const slice = load.slice(0, 100, histogram);
  while (load.waiting === 0) await new Promise(resolve => setImmediate(resolve));
  expect(load.waiting).toBe(10_000 - open.length);
  expect(histogram.totalCount).toBe(load.waiting);
  clock.at(0, () => {
    for (const resolve of open) resolve();
  });
  await clock.run();
  expect((await slice).commits).toBe(0);
  expect(histogram.totalCount).toBe(10_000);
});

test("what a proposal is rejected with is what the slice is rejected with", async () => {
  const propose: Propose = () => Promise.reject(new Error("refused"));
  await expect(new OpenLoopLoad(propose, 0, 1000, new FakeClock()).slice(0, 100)).rejects.toThrow("refused");
});

test("buckets have all values, under bounds that no value exceeds", () => {
  const histogram = latencyHistogram();
  const values = [1, 2, 3, 99, 100, 101, 5_000, 1_234_567, 60_000_000];
  for (const value of values) histogram.recordValue(value);
  const { histogram: buckets, max } = latencyUsOf(histogram);
  expect(buckets.reduce((sum, [, count]) => sum + count, 0)).toBe(values.length);
  expect(buckets.map(([us]) => us)).toEqual(buckets.map(([us]) => us).sort((a, b) => a - b));
  for (const [at, [bound]] of buckets.entries()) {
    const below = values.filter(value => value <= bound * 1.001).length;
    expect(below).toBe(buckets.slice(0, at + 1).reduce((sum, [, count]) => sum + count, 0));
  }
  expect(max).toBeGreaterThanOrEqual(60_000_000);
  expect(latencyUsOf(latencyHistogram())).toMatchObject({ p50: 0, max: 0, mean: 0, histogram: [] });
});
