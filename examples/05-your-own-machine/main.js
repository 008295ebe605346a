// An auction house whose state every learner has.
import { Cluster } from "@synod/runtime";
import Auction from "./auction.js";

const cluster = await Cluster.start({ stateMachine: Auction, stateMachineOptions: { extendMs: 50 } });
const [ann, bob] = await Promise.all([cluster.connect(), cluster.connect()]);

await ann.propose({ op: "open", name: "chair", minimum: 10, forMs: 60_000 });
console.log("ann bids 10:", await ann.propose({ op: "bid", name: "chair", bidder: "ann", amount: 10 }));
console.log("bob bids 10:", await bob.propose({ op: "bid", name: "chair", bidder: "bob", amount: 10 }));
console.log("bob bids 11:", await bob.propose({ op: "bid", name: "chair", bidder: "bob", amount: 11 }));
// A query sees what its own client was told of. Asked to be linearizable, it sees what anybody was told.
console.log("ann sees:", await ann.query("chair", { consistency: "linearizable" }));

await ann.propose({ op: "open", name: "clock", minimum: 1, forMs: 1000 });
await ann.propose({ op: "bid", name: "clock", bidder: "ann", amount: 1 });
// Nobody proposes anything meanwhile, and the lot comes to its end all the same.
let clock;
do clock = await ann.query("clock");
while (clock.state === "open");
console.log("the clock:", clock);

await cluster.close();
