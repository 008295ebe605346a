import type { AcceptorRecord } from "../../acceptor.js";
import { type Ballot, compareBallots, formatBallot, noBallot } from "../../ballot.js";
import type { Batch } from "../../batch.js";
import type { AcceptedEntry, Message } from "../../messages.js";
import { CheckFailure } from "../checker.js";
import { type InstanceValue, valuesOf } from "../values.js";

/** What has one value for ever: an instance in a ballot. */
export interface Proposal {
  readonly ballot: string;
  readonly instance: number;
  readonly value: InstanceValue;
}

function require(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new CheckFailure(invariant);
}

/** One proposal for each instance of a batch. */
function proposalsOf(ballot: Ballot, firstInstance: number, batch: Batch): Proposal[] {
  const values = valuesOf(batch);
  require(values.length === batch.count, "a batch holds one value for each of its instances");
  return values.map((value, position) => ({
    ballot: formatBallot(ballot),
    instance: firstInstance + position,
    value,
  }));
}

/** Proposals by ballot and instance; a second value for one of them is refused. */
class Proposals {
  readonly #byKey = new Map<string, Proposal>();

  get all(): readonly Proposal[] {
    return [...this.#byKey.values()];
  }

  add(ballot: Ballot, firstInstance: number, batch: Batch): void {
    for (const proposal of proposalsOf(ballot, firstInstance, batch)) {
      const known = this.#find(proposal);
      if (known === undefined) this.#byKey.set(keyOf(proposal), proposal);
      else require(known.value.text === proposal.value.text, "one value per ballot and instance");
    }
  }

  holds(proposal: Proposal): boolean {
    return this.#find(proposal)?.value.text === proposal.value.text;
  }

  covers(ballot: Ballot, instance: number): boolean {
    return this.#byKey.has(`${formatBallot(ballot)}/${instance}`);
  }

  #find(proposal: Proposal): Proposal | undefined {
    return this.#byKey.get(keyOf(proposal));
  }
}

function keyOf({ ballot, instance }: Proposal): string {
  return `${ballot}/${instance}`;
}

/** Watches what one proposer sends, over all its lives. */
export class ProposerChecks {
  readonly #index: number;
  readonly #proposals = new Proposals();

  constructor(index: number) {
    this.#index = index;
  }

  onSend(message: Message): void {
    if (message.type !== "accept") return;
    require(message.ballot.proposer === this.#index, "a proposer proposes in its own ballots");
    this.#proposals.add(message.ballot, message.firstInstance, message.batch);
  }
}

/** Watches what one acceptor makes durable and what it says. */
export class AcceptorChecks {
  readonly #votes = new Proposals();
  #promised: Ballot = noBallot;
  #trimmedBelow = 0;

  /** Everything that was ever accepted durably. */
  get votes(): readonly Proposal[] {
    return this.#votes.all;
  }

  get promised(): Ballot {
    return this.#promised;
  }

  get trimmedBelow(): number {
    return this.#trimmedBelow;
  }

  onPersist(record: AcceptorRecord): void {
    if (record.kind === "trim") {
      this.#trimmedBelow = Math.max(this.#trimmedBelow, record.below);
      return;
    }
    const ballot = record.kind === "accept" ? record.entry.ballot : record.ballot;
    const before = this.#promised;
    this.#promised = compareBallots(ballot, before) > 0 ? ballot : before;
    if (record.kind !== "accept") {
      require(compareBallots(ballot, before) >= 0, "an acceptor's promise never regresses");
    } else {
      require(compareBallots(ballot, before) >= 0, "an acceptor accepts nothing below its promise");
      this.#votes.add(ballot, record.entry.firstInstance, record.entry.batch);
    }
  }

  /** The role's own view, after a step or a restart. */
  onStep(promised: Ballot): void {
    require(compareBallots(promised, this.#promised) >= 0, "an acceptor's promise never regresses");
  }

  onSend(message: Message): void {
    if (message.type === "promise") {
      const durable = compareBallots(this.#promised, message.ballot) >= 0;
      require(durable, "Promise is said only of what is durable");
      for (const entry of message.accepted) this.#requireVotes(entry);
    } else if (message.type === "accepted") {
      const { ballot, firstInstance, count, batch } = message;
      for (let instance = firstInstance; instance < firstInstance + count; instance++) {
        require(this.#votes.covers(ballot, instance), "Accepted is said only of what is durable");
      }
      if (batch !== null) this.#requireVotes({ ballot, firstInstance, batch });
    }
  }

  #requireVotes({
    ballot,
    firstInstance,
    batch,
  }: Pick<AcceptedEntry, "ballot" | "firstInstance" | "batch">): void {
    for (const proposal of proposalsOf(ballot, firstInstance, batch)) {
      const isSo = this.#votes.holds(proposal);
      require(isSo, "an acceptor reports the values that it has accepted, in their ballots");
    }
  }
}

/** Watches what one learner hands on. */
export class LearnerChecks {
  #handedOn: Proposal[] = [];

  /** What was handed on in this life, by instance, or is in the snapshot with which it began. */
  get handedOn(): readonly Proposal[] {
    return this.#handedOn;
  }

  onHandOn({ ballot, firstInstance, batch }: AcceptedEntry): void {
    const isNext = firstInstance === this.#handedOn.length;
    require(isNext, "a learner hands on every instance once and in order");
    this.#handedOn.push(...proposalsOf(ballot, firstInstance, batch));
  }

  onRestart(publishedBelow: number): void {
    this.#handedOn = this.#handedOn.slice(0, publishedBelow);
  }
}
