// A typed cluster: what a command, a result, a query and an answer are follows from the class.
import { Cluster, connect, joinReplica, SynodError } from "@synod/runtime";
import Visits from "./visits.ts";

const cluster = await Cluster.start({
  stateMachine: Visits,
  stateMachineOptions: { pages: ["/", "/about"] },
});
const client = await cluster.connect();

const count: number = await client.propose({ page: "/" });
console.log("visits of / after one:", count);

try {
  await client.propose({ page: "/nowhere" });
} catch (error) {
  if (!(error instanceof SynodError)) throw error;
  console.log("of /nowhere:", error.code);
}

// A handle carries the types too; any thread may have it.
const visitor = await connect(cluster.handle());
await visitor.proposeAll([{ page: "/about" }, { page: "/about" }]);

// A replica: the same class, read in this thread without waiting.
const replica = await joinReplica(cluster.handle(), () => new Visits());
await replica.sync();
console.log(
  "after another client:",
  replica.read(visits => visits.query("/about")),
);

await replica.close();
await cluster.close();
