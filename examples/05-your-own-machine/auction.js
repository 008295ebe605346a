/**
 * Auctions that end by themselves. Whoever bids most until the end has the lot; a bid just before the end extends it,
 * so that others can answer.
 */
export default class Auction {
  /** The learners run in other threads and load the class from here. */
  static moduleUrl = import.meta.url;
  /** By name: { minimum, endsAtMs, bidder, amount }; the last two are null until somebody bids. */
  #lots = new Map();
  #extendMs;

  /** What Cluster.start was given as stateMachineOptions: the same on every learner. */
  constructor({ extendMs = 1000 } = {}) {
    this.#extendMs = extendMs;
  }

  /** A mistake of the caller throws, before anything has changed; what callers are to act on is returned. */
  apply(command, at) {
    switch (command.op) {
      case "open":
        return this.#open(command, at);
      case "bid":
        return this.#bid(command, at);
      default:
        throw new TypeError(`there is no ${command.op}: open a lot, or bid`);
    }
  }

  /** `at.timeMs` goes on while nobody bids: a lot that is over is shown so. */
  query(name, at) {
    const lot = this.#lots.get(name);
    if (lot === undefined) return null;
    const { bidder, amount, endsAtMs } = lot;
    return { state: endsAtMs > at.timeMs ? "open" : "over", bidder, amount };
  }

  /** One piece for each lot, and a copy: it must not change any more. */
  *snapshot() {
    for (const [name, lot] of this.#lots) yield [name, { ...lot }];
  }

  /** Put in place at the end: a restore that fails half-way leaves what was there. */
  async restore(chunks) {
    const lots = new Map();
    for await (const [name, lot] of chunks) lots.set(name, { ...lot });
    this.#lots = lots;
  }

  #open({ name, minimum, forMs }, at) {
    if (!Number.isSafeInteger(minimum) || minimum < 0) throw new TypeError(`minimum is ${minimum}`);
    if (!(forMs > 0)) throw new TypeError(`forMs is ${forMs}`);
    if (this.#lots.has(name)) return { opened: false };
    this.#lots.set(name, { minimum, endsAtMs: at.timeMs + forMs, bidder: null, amount: null });
    return { opened: true };
  }

  #bid({ name, bidder, amount }, at) {
    if (!Number.isSafeInteger(amount)) throw new TypeError(`amount is ${amount}`);
    const lot = this.#lots.get(name);
    if (lot === undefined) return { accepted: false, because: "no such lot" };
    if (lot.endsAtMs <= at.timeMs) return { accepted: false, because: "it is over" };
    const least = lot.amount === null ? lot.minimum : lot.amount + 1;
    if (amount < least) return { accepted: false, because: `at least ${least}` };
    lot.bidder = bidder;
    lot.amount = amount;
    lot.endsAtMs = Math.max(lot.endsAtMs, at.timeMs + this.#extendMs);
    return { accepted: true };
  }
}
