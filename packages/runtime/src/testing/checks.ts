import { setImmediate as eventLoopTurn } from "node:timers/promises";
import { isBytes } from "../byte-codec.js";
import { valueCodec } from "../command-codec.js";
import type { AnyStateMachine } from "../state-machine.js";
import { type CheckName, commandCount, Finding, show } from "./check-error.js";
import { batchesOf, type Step } from "./steps.js";
import {
  isSameOutcome,
  isSameSnapshot,
  isSameValue,
  type Outcome,
  Subject,
  showOutcome,
  showSnapshot,
  type Taken,
} from "./subject.js";

type Create = () => AnyStateMachine;

/** What one machine did that was left alone: all others are compared with it. */
interface Reference {
  readonly subject: Subject;
  /** By step. */
  readonly results: readonly Outcome[];
  readonly answers: readonly Outcome[];
  readonly final: Taken;
  /** After the answers: a query that changes the state is another check's business. */
  readonly afterAnswers: Taken;
}

/** A snapshot and how many steps it covers. */
interface Point {
  readonly applied: number;
  readonly taken: Taken;
}

/** Runs all checks over these steps. @throws Finding for the first that does not hold. */
export async function runChecks(create: Create, steps: readonly Step[]): Promise<void> {
  const reference = await run(create, steps);
  await checkReplica(create, steps, reference);
  checkBatches(create, steps, reference);
  checkQueries(create, steps, reference);
  const points = checkSnapshots(create, steps, reference);
  for (const point of points) await checkRestore(create, steps, reference, point);
  for (const point of points) await checkReplace(create, steps, reference, point);
  await checkRestarts(create, steps, reference);
}

async function run(create: Create, steps: readonly Step[]): Promise<Reference> {
  const subject = new Subject(create);
  const results = steps.map(step => subject.apply(step));
  const final = steadySnapshot(subject, steps.length);
  await eventLoopTurn();
  const later = subject.snapshot();
  if (!isSameSnapshot(final, later)) {
    throw new Finding(
      "apply finishes before it returns",
      "the state changed after apply() had returned: replicas would see that at different positions of the log",
      { expected: showSnapshot(final), found: showSnapshot(later) },
    );
  }
  const answers = answersOf(subject, steps);
  return { subject, results, answers, final, afterAnswers: subject.snapshot() };
}

/** The same commands elsewhere: on another day, with other luck, and with turns of the event loop in between. */
async function checkReplica(create: Create, steps: readonly Step[], reference: Reference): Promise<void> {
  const replica = new Subject(create, true);
  const results: Outcome[] = [];
  for (const step of steps) {
    if (step.yields) await eventLoopTurn();
    results.push(replica.apply(step));
  }
  const after = reference.subject.snapshot();
  if (!isSameSnapshot(reference.afterAnswers, after)) {
    throw new Finding(
      "machines share nothing",
      "what one machine applied changed another one: keep state in the instance, not in the module",
      { expected: showSnapshot(reference.afterAnswers), found: showSnapshot(after) },
    );
  }
  const check = "replicas agree";
  const who = "of two machines that applied the same commands, the second one on another day,";
  steps.forEach((step, index) => {
    compareResults(check, who, step, reference.results[index]!, results[index]!);
  });
  compareEnds(check, who, steps, reference, replica);
}

/** Commands as bytes, in batches as long as can be: all others are given one at a time. */
function checkBatches(create: Create, steps: readonly Step[], reference: Reference): void {
  if (steps.length === 0 || !isBytes(steps[0]!.commandBytes)) return;
  const check = "batches may be cut anywhere";
  const who = "given the same commands in longer batches,";
  const subject = new Subject(create);
  const results = batchesOf(steps).flatMap(batch => subject.applyBatch(batch));
  steps.forEach((step, index) => {
    compareResults(check, who, step, reference.results[index]!, results[index]!);
  });
  compareEnds(check, who, steps, reference, subject);
}

function checkQueries(create: Create, steps: readonly Step[], reference: Reference): void {
  const asked = new Subject(create);
  const check = "query changes nothing";
  steps.forEach((step, index) => {
    compareResults(check, "after queries", step, reference.results[index]!, asked.apply(step));
    if (step.queryBytes === undefined) return;
    const before = asked.snapshot();
    const at = { instance: step.instance, timeMs: step.queryTimeMs };
    const first = asked.query(step.queryBytes, at);
    const after = asked.snapshot();
    const query = valueCodec.decode(step.queryBytes);
    if (!isSameSnapshot(before, after)) {
      throw new Finding(check, `a query changed the state after instance ${step.instance}: ${show(query)}`, {
        instance: step.instance,
        expected: showSnapshot(before),
        found: showSnapshot(after),
      });
    }
    const second = asked.query(step.queryBytes, at, true);
    if (isSameOutcome(first, second)) return;
    throw new Finding(
      check,
      `the same query, asked again on another day, has another answer: ${show(query)}`,
      {
        instance: step.instance,
        expected: showOutcome(first),
        found: showOutcome(second),
      },
    );
  });
  compareEnds(check, "after queries", steps, reference, asked);
}

/** Takes snapshots on the way, also of a machine that has applied nothing; returns those to restore from. */
function checkSnapshots(create: Create, steps: readonly Step[], reference: Reference): Point[] {
  const subject = new Subject(create);
  const check = "snapshot changes nothing";
  const points: Point[] = [];
  const take = (applied: number) => points.push({ applied, taken: steadySnapshot(subject, applied) });
  take(0);
  steps.forEach((step, index) => {
    compareResults(check, "after snapshots", step, reference.results[index]!, subject.apply(step));
    if (step.snapshots) take(index + 1);
  });
  compareEnds(check, "after snapshots", steps, reference, subject);
  for (const { applied, taken } of points) {
    taken.chunks.forEach((chunk, index) => {
      const expected = valueCodec.decode(taken.encoded[index]!);
      if (isSameValue(chunk, expected)) return;
      throw new Finding(
        "snapshots stand still",
        `chunk ${index} of a snapshot after ${commandCount(applied)} changed later: yield copies of what may change`,
        { expected, found: chunk },
      );
    });
  }
  return points;
}

/** A new machine takes a snapshot over, and goes on from there. */
async function checkRestore(
  create: Create,
  steps: readonly Step[],
  reference: Reference,
  { applied, taken }: Point,
): Promise<void> {
  const who = `after restoring a snapshot of ${commandCount(applied)} into a new machine`;
  const restored = new Subject(create);
  await restored.restore(taken);
  compareSnapshots("restore gives the state back", who, taken, restored.snapshot());
  goOn("restore gives the state back", who, steps, applied, reference, restored);
}

/** A machine that has applied other commands takes a snapshot over: nothing of them may be left. */
async function checkReplace(
  create: Create,
  steps: readonly Step[],
  reference: Reference,
  { applied, taken }: Point,
): Promise<void> {
  const who = `after restoring a snapshot of ${commandCount(applied)} over a machine that had applied ${commandCount(steps.length)}`;
  const used = new Subject(create);
  for (const step of steps) used.apply(step);
  await used.restore(taken);
  compareSnapshots("restore replaces what was there", who, taken, used.snapshot());
  goOn("restore replaces what was there", who, steps, applied, reference, used);
}

/** Applies the rest of the log. */
function goOn(
  check: CheckName,
  who: string,
  steps: readonly Step[],
  applied: number,
  reference: Reference,
  subject: Subject,
): void {
  for (let index = applied; index < steps.length; index++) {
    const step = steps[index]!;
    compareResults(check, who, step, reference.results[index]!, subject.apply(step));
  }
  compareEnds(check, who, steps, reference, subject);
}

/**
 * As a learner that is killed now and then: it restores the latest snapshot and applies the log from there. And it
 * lives long: from one command to the next, days go by.
 */
async function checkRestarts(create: Create, steps: readonly Step[], reference: Reference): Promise<void> {
  const check = "restarts leave no trace";
  const who = "after restarts from snapshots, and as days went by,";
  let subject = new Subject(create);
  let latest: Point | undefined;
  for (const [index, step] of steps.entries()) {
    if (step.yields) subject.isShifted = !subject.isShifted;
    compareResults(check, who, step, reference.results[index]!, subject.apply(step));
    if (step.snapshots) latest = { applied: index + 1, taken: subject.snapshot() };
    if (!step.restarts) continue;
    subject = new Subject(create);
    if (latest !== undefined) await subject.restore(latest.taken);
    for (let again = latest?.applied ?? 0; again <= index; again++) {
      const replayed = subject.apply(steps[again]!);
      compareResults(check, who, steps[again]!, reference.results[again]!, replayed);
    }
  }
  compareEnds(check, who, steps, reference, subject);
}

/** @throws Finding if a second snapshot, on another day, is not the same. */
function steadySnapshot(subject: Subject, applied: number): Taken {
  const taken = subject.snapshot();
  const again = subject.snapshot(true);
  if (isSameSnapshot(taken, again)) return taken;
  const message = `two snapshots in a row, the second on another day, differ, after ${commandCount(applied)}`;
  throw new Finding("snapshot changes nothing", message, {
    expected: showSnapshot(taken),
    found: showSnapshot(again),
  });
}

/** All queries, asked at the end of the log. */
function answersOf(subject: Subject, steps: readonly Step[]): Outcome[] {
  const last = steps.at(-1);
  if (last === undefined) return [];
  const { instance } = last;
  return steps.flatMap(({ queryBytes, queryTimeMs }) => {
    if (queryBytes === undefined) return [];
    return [subject.query(queryBytes, { instance, timeMs: Math.max(last.timeMs, queryTimeMs) })];
  });
}

function compareResults(check: CheckName, who: string, step: Step, expected: Outcome, found: Outcome): void {
  if (isSameOutcome(expected, found)) return;
  throw new Finding(
    check,
    `${who} ${isBytes(step.commandBytes) ? "applyBatch" : "apply"}() returned something else at instance ${step.instance}`,
    {
      instance: step.instance,
      expected: showOutcome(expected),
      found: showOutcome(found),
    },
  );
}

function compareSnapshots(check: CheckName, who: string, expected: Taken, found: Taken): void {
  if (isSameSnapshot(expected, found)) return;
  throw new Finding(check, `${who} snapshot() yields something else`, {
    expected: showSnapshot(expected),
    found: showSnapshot(found),
  });
}

/** Compares the states in which machines end up, and what they answer then. */
function compareEnds(
  check: CheckName,
  who: string,
  steps: readonly Step[],
  expected: Reference,
  subject: Subject,
): void {
  compareSnapshots(check, who, expected.final, subject.snapshot());
  const queries = steps.flatMap(({ queryBytes }) => queryBytes ?? []);
  answersOf(subject, steps).forEach((answer, index) => {
    if (isSameOutcome(expected.answers[index]!, answer)) return;
    throw new Finding(
      check,
      `${who} query() answers something else: ${show(valueCodec.decode(queries[index]!))}`,
      {
        expected: showOutcome(expected.answers[index]!),
        found: showOutcome(answer),
      },
    );
  });
}
