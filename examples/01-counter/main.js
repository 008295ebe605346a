// A counter that two learners keep, three acceptors agree on, and two clients add to.
import { Cluster } from "@synod/runtime";
import Counter from "./counter.js";

const cluster = await Cluster.start({ stateMachine: Counter, stateMachineOptions: { start: 100 } });
const client = await cluster.connect();

// One at a time: resolves with what apply() returned, once the command is chosen and applied.
console.log("after one:", await client.propose({ by: 1 }));

// Many at once travel together. Those of one client take effect in the order of the calls.
const totals = await Promise.all([2, 3, 4].map(by => client.propose({ by })));
console.log("after three more:", totals.join(", "));

// A command that fails rejects its own promise; its neighbours and the replicas go on.
const settled = await Promise.allSettled([client.propose({ by: 0.5 }), client.propose({ by: 5 })]);
console.log("a bad one:", settled[0].reason.code, "and a good one:", settled[1].value);

// Another client, perhaps answered by another learner.
const other = await cluster.connect();
await Promise.all(Array.from({ length: 1000 }, (_, at) => (at % 2 ? client : other).propose({ by: 1 })));
// A query sees at least what its own client has been told of. One more command has everything before it.
await other.propose({ by: 0 });
console.log("after a thousand from two clients:", await other.query());

const { actors } = await cluster.status();
console.log("actors:", actors.map(({ name }) => name).join(", "));

// Ends every thread; then nothing keeps the process alive.
await cluster.close();
