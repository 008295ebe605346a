import type { AcceptorRecord } from "../acceptor.js";
import { type Ballot, compareBallots, formatBallot, noBallot } from "../ballot.js";
import type { Batch } from "../batch.js";
import {
  type AcceptedEntry,
  type Address,
  type Message,
  type PromiseMessage,
  type ResponseMessage,
  unpinned,
} from "../messages.js";
import type { Proposer } from "../proposer.js";
import type { QuorumSizes } from "../quorum.js";
import type { Divergence } from "../sample-exchange.js";
import { SampleModel } from "./sample-model.js";
import { SessionModel } from "./session-model.js";
import type { StoredSnapshot } from "./snapshot-store.js";
import { TrimModel } from "./trim-model.js";
import { type InstanceValue, valuesOf } from "./values.js";
import type { Host } from "./world.js";

/** A promise of the protocol that a run has broken. */
export class CheckFailure extends Error {
  override readonly name = "CheckFailure";
}

function require(holds: boolean, invariant: string): asserts holds {
  if (!holds) throw new CheckFailure(invariant);
}

/** Source: "Paxos Made Simple", section 2.2, condition P2b. */
function requireSame(proposed: InstanceValue, chosen: InstanceValue): void {
  require(proposed.text === chosen.text, "above the ballot that chose a value nothing else is proposed");
}

/** Rule 12: no phase 1 of another proposer completes while a leader believes in its lease. */
function requireUnchallenged({ ballot, until }: Belief, elected: { ballot: Ballot; at: number }): void {
  const isChallenge =
    elected.ballot.proposer !== ballot.proposer && compareBallots(elected.ballot, ballot) > 0;
  require(!isChallenge || elected.at >= until, "nobody else is elected while a leader holds its lease");
}

/** The one value of a (ballot, instance), and who has accepted it durably. */
interface Proposal {
  readonly ballot: Ballot;
  readonly value: InstanceValue;
  readonly voters: Set<number>;
}

export interface CheckerOptions {
  readonly acceptors: number;
  readonly learners: number;
  /** They are counted as learners, behind those. */
  readonly observers: number;
  readonly quorums: QuorumSizes;
  readonly firstInstance: number;
  readonly firstSequence: number;
  readonly sessionTimeoutMs: number;
  /** So much of the log is to be kept above what is trimmed. */
  readonly tailInstances: number;
  /** Virtual time, in milliseconds. */
  readonly now: () => number;
}

/** A leader that believes to hold a lease. */
interface Belief {
  readonly ballot: Ballot;
  readonly until: number;
}

/**
 * Watches a run from outside: it counts quorums itself, from what acceptors made durable, and shares no code with
 * the roles but the shapes of their messages.
 */
export class Checker {
  readonly #options: CheckerOptions;
  readonly #proposals = new Map<number, Map<string, Proposal>>();
  /** By instance: the value, and the lowest ballot in which it was chosen. */
  readonly #chosen = new Map<number, { readonly ballot: Ballot; readonly value: InstanceValue }>();
  readonly #promised: Ballot[];
  readonly #promisers = new Map<string, Set<number>>();
  /** By ballot: where its phase 1 begins, and by acceptor where the parts of its Promise have led. */
  readonly #prepares = new Map<string, { readonly first: number; readonly told: Map<number, Set<number>> }>();
  /** Ballots whose phase 1 is complete, and since when. */
  readonly #elected = new Map<string, { readonly ballot: Ballot; readonly at: number }>();
  /** By client and request: what was chosen when a read was asked for. */
  readonly #readsFrom = new Map<string, number>();
  readonly #gone = new Set<number>();
  readonly #beliefs = new Map<number, Belief>();
  readonly #forwarded = new Map<unknown, number>();
  /** By learner: how many values it was sent that are not what their digests say, and how many it has reported. */
  readonly #corrupted: number[];
  readonly #mismatched: number[];
  readonly #handedOnBelow: number[];
  readonly #appliedAt: number[];
  #chosenBelow: number;
  /** Pairs of learners that were reported to have gone apart. */
  readonly #diverged = new Set<string>();
  #wrongResults = 0;
  readonly sessions: SessionModel;
  readonly trims: TrimModel;
  readonly samples: SampleModel;

  constructor(options: CheckerOptions) {
    this.#options = options;
    this.#chosenBelow = options.firstInstance;
    this.#promised = new Array<Ballot>(options.acceptors).fill(noBallot);
    const followers = options.learners + options.observers;
    this.#handedOnBelow = new Array<number>(followers).fill(options.firstInstance);
    this.#appliedAt = new Array<number>(followers).fill(0);
    this.#corrupted = new Array<number>(options.learners).fill(0);
    this.#mismatched = new Array<number>(options.learners).fill(0);
    this.trims = new TrimModel(options.firstInstance, options.tailInstances, require);
    this.samples = new SampleModel(options.learners, options.firstInstance, options.now(), require);
    this.sessions = new SessionModel(options.firstSequence, options.sessionTimeoutMs, require);
  }

  /** Every instance below is chosen, by the checker's own count. */
  get chosenBelow(): number {
    return this.#chosenBelow;
  }

  onPersist(acceptor: number, record: AcceptorRecord): void {
    switch (record.kind) {
      case "promise":
        return this.#onPromised(acceptor, record.ballot);
      case "accept":
        return this.#onAccepted(acceptor, record.entry);
      case "lease":
        return this.#onPromised(acceptor, record.ballot);
      case "trim":
        this.trims.onTrim(record.below);
        return this.samples.onTrim(record.below);
    }
  }

  /** Messages must be covered by what their sender may know, or has made safe. */
  onSend(role: Host["role"], index: number, message: Message): void {
    if (message.type === "promise") this.#onPromise(index, message);
    else if (message.type === "prepare") {
      const key = formatBallot(message.ballot);
      // The first one of a ballot; later ones may ask for the rest of a Promise.
      if (!this.#prepares.has(key))
        this.#prepares.set(key, { first: message.firstInstance, told: new Map() });
    } else if (message.type === "propose" && message.forwarded) {
      const by = this.#forwarded.get(message.segments) ?? index;
      require(by === index, "a forwarded proposal is not forwarded again");
      this.#forwarded.set(message.segments, index);
    } else if (message.type === "accepted") {
      for (let position = 0; position < message.count; position++) {
        const proposal = this.#proposalOf(message.firstInstance + position, message.ballot);
        require(proposal?.voters.has(index) === true, "Accepted is said only of what is durable");
        if (message.batch === null) continue;
        const told = valuesOf(message.batch)[position]?.text;
        require(told === proposal.value.text, "Accepted tells the accepted value");
      }
    } else if (message.type === "accept") {
      const { ballot, firstInstance, batch } = message;
      require(ballot.proposer === index, "a proposer proposes in its own ballots");
      const told = [...(this.#prepares.get(formatBallot(ballot))?.told.values() ?? [])];
      const promisers = told.filter(reached => reached.has(-1)).length;
      require(promisers >= this.#options.quorums.prepare, "Accept is sent after a phase-1 quorum");
      this.#noteProposals(ballot, firstInstance, batch);
    } else if (message.type === "progress" && role === "observer") {
      const holdsBack = !message.stuck || message.trimBelow > 0 || message.pinnedAt !== unpinned;
      require(!holdsBack, "an observer says nothing but that it is stuck");
    } else if (message.type === "progress") {
      this.trims.onReport(message.trimBelow, this.#handedOnBelow[index] as number);
      this.samples.onReport(index, message.trimBelow, this.#options.now());
    } else if (message.type === "response" && role === "learner") this.#onResponse(message);
  }

  /** What a leader believes of its lease; `until` is 0 when it believes nothing. */
  onLease(proposer: number, ballot: Ballot | undefined, until: number): void {
    if (ballot === undefined || until === 0) {
      this.#beliefs.delete(proposer);
      return;
    }
    const belief = { ballot, until };
    this.#beliefs.set(proposer, belief);
    for (const elected of this.#elected.values()) requireUnchallenged(belief, elected);
  }

  /** A value was damaged on its way to a learner. */
  onCorrupted(learner: number): void {
    this.#corrupted[learner] = (this.#corrupted[learner] ?? 0) + 1;
  }

  onMismatches(learner: number, reported: number): void {
    const all = (this.#mismatched[learner] ?? 0) + reported;
    this.#mismatched[learner] = all;
    require(all <= (this.#corrupted[learner] ?? 0), "a mismatch is reported only of what was damaged");
  }

  /** A client asks the leader from where on a read may be answered. */
  onRead(client: Address, id: number): void {
    // A request for a sign of life has always the same number, and nothing is read by its answer.
    if (id !== 0) this.#readsFrom.set(`${client} ${id}`, this.#chosenBelow);
  }

  /** Whatever was chosen when it asked is below. */
  onReadReady(client: Address, id: number, readBelow: number): void {
    const chosenBelow = this.#readsFrom.get(`${client} ${id}`) ?? 0;
    require(readBelow >= chosenBelow, "a linearizable read sees everything that was chosen before");
  }

  /** The session of a client that has lived without faults for long enough. */
  onLiving(session: number | undefined): void {
    const isOpen = session === undefined || this.sessions.isOpen(session);
    require(isOpen, "a client that lives keeps its session alive");
  }

  /** This learner is gone for good. */
  onLearnerGone(learner: number): void {
    this.#gone.add(learner);
  }

  onProposerStep(chosenBelow: number): void {
    require(chosenBelow <= this.#chosenBelow, "a proposer takes for chosen what is chosen");
  }

  onHandOn(learner: number, entry: AcceptedEntry): void {
    const expected = this.#handedOnBelow[learner];
    require(entry.firstInstance === expected, "a learner hands on every instance once and in order");
    const values = valuesOf(entry.batch);
    require(values.length === entry.count, "a batch holds one value for each of its instances");
    values.forEach((value, position) => {
      const instance = entry.firstInstance + position;
      const voters = this.#proposalOf(instance, entry.ballot)?.voters.size ?? 0;
      require(voters >= this.#options.quorums.accept, "a learner counts a quorum of one ballot");
      require(this.#chosen.get(instance)?.value.text === value.text, "a learner hands on what is chosen");
    });
    this.#handedOnBelow[learner] = entry.firstInstance + entry.count;
  }

  /** A state machine applies `command`; returns how many it has applied with this one. */
  onApply(learner: number, command: number, instance: number, timeMs: number): number {
    const position = this.#appliedAt[learner] ?? 0;
    require(this.sessions.applied[position] ===
      command, "replicas apply each command once, in the same order");
    const at = this.sessions.appliedAt[position];
    require(at?.instance === instance, "a state machine is told the instance of its command");
    require(at.timeMs === timeMs, "a state machine is told the logical time, which never goes back");
    this.#appliedAt[learner] = position + 1;
    return position + 1;
  }

  /** After the commands of an entry: nothing may be left out either. */
  onEntryApplied(learner: number, appliedBelow: number): void {
    if (appliedBelow !== this.#chosenBelow) return;
    const applied = this.#appliedAt[learner];
    require(applied === this.sessions.applied.length, "a replica applies every command that is due");
  }

  /** A learner goes on from a snapshot of a state machine that had applied so many commands. */
  onRestored(learner: number, { instance, applied, sampled }: StoredSnapshot): void {
    if (this.#isLearner(learner)) this.samples.onRestored(learner, sampled);
    require(instance <= this.#chosenBelow, "a snapshot holds what is chosen");
    const held = this.sessions.appliedAt.filter(at => at.instance < instance).length;
    require(applied === held, "a snapshot holds exactly what it says");
    this.#handedOnBelow[learner] = instance;
    this.#appliedAt[learner] = applied;
  }

  /** The sampled result of a learner's state machine is not that of the others. */
  onWrongResult(): void {
    this.#wrongResults += 1;
  }

  onDivergence({ learners: [one, other] }: Divergence): void {
    require(this.#wrongResults > 0, "state machines that return the same have not gone apart");
    this.samples.onDivergence(one, other);
    this.#diverged.add(`${Math.min(one, other)} ${Math.max(one, other)}`);
  }

  /** Have these learners, whose samples differ, been reported? */
  isReported(one: number, other: number): boolean {
    return this.#diverged.has(`${Math.min(one, other)} ${Math.max(one, other)}`);
  }

  isGone(learner: number): boolean {
    return this.#gone.has(learner);
  }

  onLearnerRestart(learner: number): void {
    if (this.#isLearner(learner)) this.samples.onRestart(learner, this.#options.now());
    this.#handedOnBelow[learner] = this.#options.firstInstance;
    this.#appliedAt[learner] = 0;
  }

  onSettled(session: number, sequence: number, command: number, result: unknown): void {
    const position = this.sessions.resultOf(session, sequence);
    require(position !== undefined && position === result, "an answer is the result of what was applied");
    require(this.sessions.applied[position - 1] === command, "an answer belongs to its command");
  }

  /** Storage was in the way of an Accept: what it says may be trimmed is what makes room. */
  onFullAcceptor(trimBelow: number, trimmedBelow: number): void {
    require(trimmedBelow >= trimBelow, "an acceptor without room forgets what it may");
  }

  /** An acceptor without room tells a leader so, which goes on leading. */
  onFullRefusal(led: Ballot, { state, ballot }: Pick<Proposer, "state" | "ballot">): void {
    const leadsOn = state === "leading" && compareBallots(ballot, led) === 0;
    require(leadsOn, "a leader leads on when an acceptor has no room");
  }

  onSettledTwice(): void {
    require(false, "a caller is answered once, and not after it has gone");
  }

  /** A session that has expired; `mayHaveSlept` unless its client has lived without faults for long enough. */
  onExpired(session: number, mayHaveSlept: boolean): void {
    require(mayHaveSlept, "a client that lives keeps its session alive");
    require(!this.sessions.isOpen(session), "a session that is active stays known");
  }

  onAnswer(appliedBelow: number, applied: unknown, asked: { below: number; applied: number }): void {
    require(appliedBelow >= asked.below, "a query waits for what its client has seen");
    require(typeof applied === "number" && applied >= asked.applied, "queries of a client never go back");
  }

  learnersAgree(): boolean {
    return this.#handedOnBelow.every(
      (below, learner) => below === this.#chosenBelow || this.#gone.has(learner),
    );
  }

  /** And no observer, whose word counts for nothing. */
  #isLearner(place: number): boolean {
    return place < this.#options.learners;
  }

  #onPromised(acceptor: number, ballot: Ballot): void {
    const before = this.#promised[acceptor] as Ballot;
    require(compareBallots(ballot, before) >= 0, "an acceptor's promise never regresses");
    this.#promised[acceptor] = ballot;
  }

  #onAccepted(acceptor: number, { ballot, firstInstance, batch }: AcceptedEntry): void {
    const promised = this.#promised[acceptor] as Ballot;
    require(compareBallots(ballot, promised) >= 0, "an acceptor accepts nothing below its promise");
    this.#promised[acceptor] = ballot;
    this.#noteProposals(ballot, firstInstance, batch);
    for (let position = 0; position < batch.count; position++) {
      const instance = firstInstance + position;
      const proposal = this.#proposalOf(instance, ballot) as Proposal;
      proposal.voters.add(acceptor);
      if (proposal.voters.size >= this.#options.quorums.accept) this.#choose(instance, proposal);
    }
  }

  #choose(instance: number, { ballot, value }: Proposal): void {
    const before = this.#chosen.get(instance);
    require(before === undefined || before.value.text === value.text, "one value per instance for ever");
    if (before !== undefined && compareBallots(before.ballot, ballot) <= 0) return;
    require(instance >= this.#options.firstInstance, "nothing is chosen anew below what was trimmed");
    for (const other of this.#proposals.get(instance)?.values() ?? []) {
      if (compareBallots(other.ballot, ballot) > 0) requireSame(other.value, value);
    }
    this.#chosen.set(instance, { ballot, value });
    for (;;) {
      const next = this.#chosen.get(this.#chosenBelow);
      if (next === undefined) return;
      this.sessions.apply(this.#chosenBelow, next.value);
      this.#chosenBelow += 1;
    }
  }

  #noteProposals(ballot: Ballot, firstInstance: number, batch: Batch): void {
    const key = formatBallot(ballot);
    const values = valuesOf(batch);
    require(values.length === batch.count, "a batch holds one value for each of its instances");
    values.forEach((value, position) => {
      const instance = firstInstance + position;
      let proposals = this.#proposals.get(instance);
      if (proposals === undefined) {
        proposals = new Map();
        this.#proposals.set(instance, proposals);
      }
      const chosen = this.#chosen.get(instance);
      if (chosen !== undefined && compareBallots(chosen.ballot, ballot) < 0) requireSame(value, chosen.value);
      const known = proposals.get(key);
      if (known === undefined) proposals.set(key, { ballot, value, voters: new Set() });
      else require(known.value.text === value.text, "one value per ballot and instance");
    });
  }

  #onPromise(acceptor: number, message: PromiseMessage): void {
    const promised = this.#promised[acceptor] as Ballot;
    require(compareBallots(promised, message.ballot) >= 0, "Promise is said only of what is durable");
    for (const { ballot, firstInstance, batch } of message.accepted) {
      valuesOf(batch).forEach((value, position) => {
        const proposal = this.#proposalOf(firstInstance + position, ballot);
        require(proposal?.voters.has(acceptor) === true, "Promise reports what was accepted, in its ballot");
        require(proposal.value.text === value.text, "Promise reports the accepted value");
      });
    }
    const key = formatBallot(message.ballot);
    this.#noteTold(key, acceptor, message);
    const promisers = this.#promisers.get(key);
    if (promisers === undefined) this.#promisers.set(key, new Set([acceptor]));
    else promisers.add(acceptor);
    const count = this.#promisers.get(key)?.size ?? 0;
    if (count < this.#options.quorums.prepare || this.#elected.has(key)) return;
    const elected = { ballot: message.ballot, at: this.#options.now() };
    this.#elected.set(key, elected);
    for (const belief of this.#beliefs.values()) requireUnchallenged(belief, elected);
  }

  /** Parts count together where each begins at the end of another, from the prepared instance on. */
  #noteTold(key: string, acceptor: number, { firstInstance, continuesAt }: PromiseMessage): void {
    const prepare = this.#prepares.get(key);
    require(prepare !== undefined, "Promise answers a Prepare");
    const reached = prepare.told.get(acceptor) ?? new Set([prepare.first]);
    prepare.told.set(acceptor, reached);
    if (reached.has(firstInstance)) reached.add(continuesAt);
  }

  #onResponse({ session, firstSequence, results }: ResponseMessage): void {
    Array.from(results).forEach((result, position) => {
      const sequence = firstSequence + position;
      const isSo =
        this.sessions.hasResult(session, sequence) && this.sessions.resultOf(session, sequence) === result;
      require(isSo, "a response equals what was applied");
    });
  }

  #proposalOf(instance: number, ballot: Ballot): Proposal | undefined {
    return this.#proposals.get(instance)?.get(formatBallot(ballot));
  }
}
