import { Cluster, type ClusterOptions, SynodError, type SynodErrorCode } from "@synod/runtime";
import { expect } from "vitest";

/** What machine.mjs understands; anything else is echoed. */
// biome-ignore lint/suspicious/noExplicitAny: the tests send what the types forbid
type Any = any;
export type AnyMachine = {
  apply(command: Any, at: Any): Any;
  query(query: Any): Any;
  snapshot(): Any;
  restore(): Any;
};

export const fixture = (name: string): string => new URL(`./fixtures/${name}`, import.meta.url).href;
export const machine = fixture("machine.mjs");

/** A cluster of the machine that does what its commands say. */
export function start(options: Partial<ClusterOptions<AnyMachine>> = {}): Promise<Cluster<AnyMachine>> {
  return Cluster.start<AnyMachine>({ stateMachine: machine, ...options });
}

/** Runs a test with a cluster that is closed afterwards. Nobody in it may have lost a wake-up. */
export async function withCluster(
  options: Partial<ClusterOptions<AnyMachine>>,
  test: (cluster: Cluster<AnyMachine>) => Promise<void>,
): Promise<void> {
  const cluster = await start(options);
  try {
    await test(cluster);
    await expectNoLostWakeUps(cluster);
  } finally {
    await cluster.close();
  }
}

/**
 * Holds where senders are killed as well: they announce frames only after they have rung for them. A cluster that the
 * test has closed says nothing any more, and a failed actor's counters went with its thread.
 */
async function expectNoLostWakeUps(cluster: Cluster<AnyMachine>): Promise<void> {
  const counters = await cluster.inspect().catch(async (error: unknown) => {
    const code = error instanceof SynodError ? error.code : undefined;
    if (code === "CLUSTER_CLOSED") return [];
    if (code !== "ACTOR_FAILED") throw error;
    const { actors } = await cluster.status();
    return actors.map(({ name, mailbox }) => ({ name, lostWakeUps: mailbox?.lostWakeUps ?? 0 }));
  });
  expect(counters.filter(({ lostWakeUps }) => lostWakeUps > 0)).toEqual([]);
}

/** The SynodError that a promise rejects with. */
export async function errorOf(promise: Promise<unknown>, code: SynodErrorCode): Promise<SynodError> {
  const error = await promise.then(
    value => expect.fail(`resolved with ${String(value)} instead of ${code}`),
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(SynodError);
  expect((error as SynodError).code, (error as SynodError).message).toBe(code);
  return error as SynodError;
}

/** Asks again until a condition holds; the deadline dumps what was seen last. */
export async function until<T>(look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (performance.now() > deadline) throw new Error(`not within 30 s: ${JSON.stringify(seen, null, 2)}`);
  }
}

/** All learners have applied so many commands, none twice, and have the same state. */
export async function expectAgreement(cluster: Cluster<AnyMachine>, acknowledged: number): Promise<void> {
  const learnersOf = async () => {
    const all = await cluster.inspect({ stateDigest: true });
    return all
      .filter(({ role }) => role === "learner")
      .map(({ name, appliedCommands, stateDigest }) => ({ name, appliedCommands, stateDigest }));
  };
  const learners = await until(learnersOf, seen =>
    seen.every(({ appliedCommands }) => (appliedCommands ?? 0) >= acknowledged),
  );
  for (const learner of learners) {
    expect(learner.appliedCommands).toBe(acknowledged);
    expect(learner.stateDigest).toBe(learners[0]?.stateDigest);
  }
}
