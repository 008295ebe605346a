// Two kinds of tests. Whether replicas would agree is for checkStateMachine, which knows nothing of auctions. Whether the
// rules of the auction are right is for tests like any others: call apply with a time that you make up.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkStateMachine } from "@synod/runtime/testing";
import Auction from "./auction.js";

const names = ["chair", "clock"];

/** Short times, so that lots end on the way. */
const commands = random => {
  const name = random.pick(names);
  if (random.chance(0.2))
    return { op: "open", name, minimum: random.below(5), forMs: random.between(1, 9000) };
  return { op: "bid", name, bidder: random.pick(["ann", "bob"]), amount: random.below(40) };
};

test("replicas agree, and restarts leave no trace", () =>
  checkStateMachine({ create: () => new Auction({ extendMs: 500 }), commands, queries: names }));

test("the check finds an auction that goes by the clock of its own thread", async () => {
  class Hasty extends Auction {
    apply(command, at) {
      return super.apply(command, { ...at, timeMs: Date.now() });
    }
  }
  await assert.rejects(checkStateMachine({ create: () => new Hasty(), commands, queries: names }), {
    code: "STATE_MACHINE_CHECK_FAILED",
    check: "replicas agree",
  });
});

test("the check finds a snapshot that forgets when lots end", async () => {
  class Forgetful extends Auction {
    *snapshot() {
      for (const [name, { endsAtMs, ...lot }] of super.snapshot())
        yield [name, { ...lot, endsAtMs: Math.ceil(endsAtMs / 1e6) * 1e6 }];
    }
  }
  await assert.rejects(checkStateMachine({ create: () => new Forgetful(), commands, queries: names }), {
    check: "restore gives the state back",
  });
});

/** Applies commands at times of the test. */
function auctionAt(auction) {
  let instance = 0;
  return (timeMs, command) => auction.apply(command, { instance: ++instance, timeMs });
}

test("the highest bid before the end has the lot", () => {
  const auction = new Auction({ extendMs: 10 });
  const apply = auctionAt(auction);
  apply(0, { op: "open", name: "chair", minimum: 5, forMs: 100 });
  const bid = (timeMs, bidder, amount) => apply(timeMs, { op: "bid", name: "chair", bidder, amount });
  assert.deepEqual(bid(1, "ann", 4), { accepted: false, because: "at least 5" });
  assert.deepEqual(bid(2, "ann", 5), { accepted: true });
  assert.deepEqual(bid(3, "bob", 5), { accepted: false, because: "at least 6" });
  assert.deepEqual(bid(99, "bob", 6), { accepted: true }, "in time, and extends the lot to 109");
  assert.deepEqual(bid(108, "ann", 7), { accepted: true });
  assert.deepEqual(bid(118, "bob", 8), { accepted: false, because: "it is over" });
  assert.deepEqual(auction.query("chair", { instance: 7, timeMs: 117 }).state, "open");
  assert.deepEqual(auction.query("chair", { instance: 7, timeMs: 118 }), {
    state: "over",
    bidder: "ann",
    amount: 7,
  });
});

test("a mistake of the caller changes nothing", () => {
  const auction = new Auction();
  const apply = auctionAt(auction);
  apply(0, { op: "open", name: "chair", minimum: 5, forMs: 100 });
  const before = JSON.stringify([...auction.snapshot()]);
  assert.throws(() => apply(1, { op: "bid", name: "chair", bidder: "ann", amount: 0.5 }), /amount is 0.5/);
  assert.throws(() => apply(2, { op: "open", name: "clock", minimum: -1, forMs: 1 }), /minimum is -1/);
  assert.throws(() => apply(3, { op: "sell" }), /there is no sell/);
  assert.equal(JSON.stringify([...auction.snapshot()]), before);
});
