import { mailboxContract } from "./contract.js";

mailboxContract("ring on a thread", { kind: "ring", waiting: "thread" });
mailboxContract("ring on the event loop", { kind: "ring", waiting: "event-loop" });
mailboxContract("port", { kind: "port", waiting: "event-loop" });
mailboxContract("ring that passes 2^31", { kind: "ring", waiting: "thread", startAt: 2 ** 31 - 64 });
mailboxContract("ring that passes 2^32", { kind: "ring", waiting: "thread", startAt: 2 ** 32 - 64 });
