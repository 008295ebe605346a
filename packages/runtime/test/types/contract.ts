// Compiled by the static checks and never run: what the types promise, and what they refuse. An expectation of an error
// that does not come is an error itself.
import {
  type AppliedAt,
  type Client,
  Cluster,
  type ClusterHandle,
  type CommandBatch,
  type CommandOf,
  connect,
  joinReplica,
  type ResultOf,
  type StateMachine,
} from "@synod/runtime";
import { Counters } from "@synod/runtime/counters";
import { KeyValueStore } from "@synod/runtime/kv";
import { Locks } from "@synod/runtime/locks";

/** Fails to compile unless both types are the same. */
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : { expected: B; found: A };
function expectSame<A, B>(_same: Same<A, B>): void {}

interface Add {
  readonly by: number;
}

class Counter implements StateMachine<Add, number, "total", number, number> {
  static readonly moduleUrl: string = import.meta.url;
  #total: number;

  constructor(options: { readonly start?: number } = {}) {
    this.#total = options.start ?? 0;
  }
  apply({ by }: Add, at: AppliedAt): number {
    this.#total += at.instance > 0 ? by : 0;
    return this.#total;
  }
  query(_query: "total"): number {
    return this.#total;
  }
  *snapshot(): Generator<number> {
    yield this.#total;
  }
  async restore(chunks: AsyncIterable<number>): Promise<void> {
    for await (const total of chunks) this.#total = total;
  }
}

export async function typesFlowFromTheMachine(): Promise<void> {
  const cluster = await Cluster.start({ stateMachine: Counter, stateMachineOptions: { start: 1 } });
  expectSame<typeof cluster, Cluster<Counter>>(true);
  const client = await cluster.connect();
  expectSame<typeof client, Client<Counter>>(true);
  const result = await client.propose({ by: 1 }, { timeoutMs: 100 });
  expectSame<typeof result, number>(true);
  const answer = await client.query("total", { consistency: "linearizable" });
  expectSame<typeof answer, number>(true);
  expectSame<CommandOf<Counter>, Add>(true);
  expectSame<ResultOf<Counter>, number>(true);
}

export async function wrongUseDoesNotCompile(client: Client<Counter>): Promise<void> {
  // @ts-expect-error: a string is no number
  await client.propose({ by: "1" });
  // @ts-expect-error: a field is missing
  await client.propose({});
  // @ts-expect-error: a field too many
  await client.propose({ by: 1, twice: true });
  // @ts-expect-error: there is no such query
  await client.query("average");
  // @ts-expect-error: there is no such consistency
  await client.query("total", { consistency: "eventual" });
  // @ts-expect-error: there is no such option
  await client.propose({ by: 1 }, { timeout: 100 });
  // @ts-expect-error: the result is a number
  const text: string = await client.propose({ by: 1 });
  console.log(text);
}

export async function optionsOfTheMachine(): Promise<void> {
  // @ts-expect-error: its constructor wants a number
  await Cluster.start({ stateMachine: Counter, stateMachineOptions: { start: "1" } });
  // @ts-expect-error: its constructor knows no such option
  await Cluster.start({ stateMachine: Counter, stateMachineOptions: { from: 1 } });
  // @ts-expect-error: there is no such option of the cluster
  await Cluster.start({ stateMachine: Counter, learner: 2 });
  // What a URL leads to is known to the caller only.
  await Cluster.start<Counter>({
    stateMachine: new URL("./counter.js", import.meta.url),
    stateMachineOptions: 1,
  });
}

export async function aUrlTakesItsTypeFromTheCaller(url: URL): Promise<void> {
  const cluster = await Cluster.start<Counter>({ stateMachine: { url, export: "Counter" } });
  const client = await cluster.connect();
  await client.propose({ by: 1 });
  // @ts-expect-error: a string is no number
  await client.propose({ by: "1" });
}

export async function aHandleCarriesItsMachine(cluster: Cluster<Counter>): Promise<void> {
  const handle = cluster.handle();
  expectSame<typeof handle, ClusterHandle<Counter>>(true);
  const client = await connect(handle);
  expectSame<typeof client, Client<Counter>>(true);
  // @ts-expect-error: it is a handle of counters
  const other: ClusterHandle<KeyValueStore> = handle;
  // As workerData it has lost its type, and is told it again.
  const posted: unknown = handle;
  const there = await connect(posted as ClusterHandle<Counter>);
  expectSame<Awaited<ReturnType<typeof there.query>>, number>(true);
  // @ts-expect-error: nobody knows what this is
  await connect(posted);
  console.log(other);
}

class Asynchronous {
  static readonly moduleUrl: string = import.meta.url;
  async apply({ by }: Add): Promise<number> {
    return by;
  }
  *snapshot(): Generator<number> {}
  async restore(): Promise<void> {}
}

class SometimesAsynchronous extends Asynchronous {
  // @ts-expect-error: an Asynchronous never answers at once
  override apply(command: Add): number | Promise<number> {
    return command.by > 0 ? command.by : super.apply(command);
  }
}

class AsynchronousQuery extends Counter {
  // @ts-expect-error: a Counter answers at once
  override async query(_query: "total"): Promise<number> {
    return 1;
  }
}

class WithoutRestore {
  static readonly moduleUrl: string = import.meta.url;
  apply({ by }: Add): number {
    return by;
  }
  *snapshot(): Generator<number> {}
}

class WithoutUrl extends WithoutRestore {
  async restore(): Promise<void> {}
}

class WriteOnly extends WithoutRestore {
  async restore(): Promise<void> {}
}

export async function machinesThatAreNone(): Promise<void> {
  // @ts-expect-error: apply() returns a promise
  await Cluster.start({ stateMachine: Asynchronous });
  // @ts-expect-error: the same by its URL
  await Cluster.start<Asynchronous>({ stateMachine: new URL("./asynchronous.js", import.meta.url) });
  // @ts-expect-error: apply() returns a promise now and then
  await Cluster.start({ stateMachine: SometimesAsynchronous });
  // @ts-expect-error: query() returns a promise
  await Cluster.start({ stateMachine: AsynchronousQuery });
  // @ts-expect-error: it could not be restored
  await Cluster.start({ stateMachine: WithoutRestore });
  const { moduleUrl, ...nothing } = WithoutUrl;
  // @ts-expect-error: learners would not know where to load it from
  await Cluster.start({ stateMachine: nothing });
  // @ts-expect-error: there is nothing to replicate
  await Cluster.start({ learners: 2 });
  const client = await (await Cluster.start({ stateMachine: WriteOnly })).connect();
  // @ts-expect-error: it has no query()
  await client.query("total");
  console.log(moduleUrl);
}

export async function theKeyValueStore(): Promise<void> {
  const client = await (await Cluster.start({ stateMachine: KeyValueStore })).connect();
  const at = await client.propose({ op: "set", key: "limit", value: { any: ["thing"] } });
  expectSame<typeof at, number>(true);
  // @ts-expect-error: there is no such operation
  await client.propose({ op: "clear" });
  // @ts-expect-error: a key is missing
  await client.propose({ op: "set", value: 1 });
}

export async function events(cluster: Cluster<Counter>): Promise<void> {
  cluster.on("leaderChanged", ({ leader }) => expectSame<typeof leader, string>(true));
  // @ts-expect-error: there is no such event
  cluster.on("leaderchanged", () => {});
  // @ts-expect-error: the event has no such field
  cluster.on("actorDown", ({ name }) => console.log(name));
}

export async function aReplicaReadsItsMachine(handle: ClusterHandle<Counter>): Promise<void> {
  const replica = await joinReplica(handle, () => new Counter());
  const total = replica.read(machine => machine.query("total"));
  expectSame<typeof total, number>(true);
  // @ts-expect-error: a Counter has no such method
  replica.read(machine => machine.average());
  // @ts-expect-error: a read is over when it returns
  replica.read(async machine => machine.query("total"));
  for await (const { command, result } of replica.entries({ from: 0 })) {
    expectSame<typeof command, Add>(true);
    expectSame<typeof result, number | undefined>(true);
  }
  // @ts-expect-error: the cluster replicates another machine
  await joinReplica(handle, new KeyValueStore());
}

export async function manyCommandsHaveManyResults(client: Client<Counter>): Promise<void> {
  const results = await client.proposeAll([{ by: 1 }, { by: 2 }]);
  expectSame<typeof results, number[]>(true);
  // @ts-expect-error: one of them is wrong
  await client.proposeAll([{ by: 1 }, { by: "2" }]);
  // @ts-expect-error: one command is no list
  await client.proposeAll({ by: 1 });
  // @ts-expect-error: a Counter takes no bytes
  await client.proposeBytes(new Uint8Array(16), { recordBytes: 16 });
}

class Tally {
  static readonly moduleUrl: string = import.meta.url;
  applyBatch(_batch: CommandBatch): void {}
  *snapshot(): Generator<number> {}
  async restore(): Promise<void> {}
}

class AsynchronousTally extends Tally {
  override async applyBatch(_batch: CommandBatch): Promise<void> {}
}

export async function aMachineOfBytes(): Promise<void> {
  // @ts-expect-error: applyBatch() returns a promise
  await Cluster.start({ stateMachine: AsynchronousTally });
  const client = await (await Cluster.start({ stateMachine: Tally })).connect();
  const results = await client.proposeBytes(new Uint8Array(32), { recordBytes: 16 });
  expectSame<typeof results, Float64Array>(true);
  // @ts-expect-error: it takes bytes
  await client.proposeBytes("text", { recordBytes: 4 });
  // @ts-expect-error: it takes no values
  await client.propose({ by: 1 });
}

export async function readyMachines(): Promise<void> {
  const counters = await (await Cluster.start({ stateMachine: Counters })).connect();
  // @ts-expect-error: there is no such operation
  await counters.propose({ op: "explode" });
  const locks = await (await Cluster.start({ stateMachine: Locks })).connect();
  // @ts-expect-error: there is no such operation
  await locks.propose({ op: "explode" });
}
