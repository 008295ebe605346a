import { Acceptor, type AcceptorRecord, recoverAcceptor } from "../../acceptor.js";
import { assertNever } from "../../assert.js";
import type { CommandSegment } from "../../batch.js";
import { Learner } from "../../learner.js";
import { limits } from "../../limits.js";
import type { Address, Envelope, Message } from "../../messages.js";
import { Proposer } from "../../proposer.js";
import { countAcceptors, type QuorumSystem, quorumsIntersect, ThresholdQuorums } from "../../quorum.js";
import { type ActorRole, clientAddress, type Topology } from "../../roles.js";
import { digestOf, encodeCommands } from "../values.js";
import type { Configuration } from "./configuration.js";
import type { CrashPoint, Input } from "./inputs.js";
import { AcceptorChecks, LearnerChecks, type Proposal, ProposerChecks } from "./local-checks.js";

/** An input whose message has been looked up. */
export type Happening =
  | Exclude<Input, { readonly kind: "deliver" }>
  | {
      readonly kind: "deliver";
      readonly from: Address;
      readonly message: Message;
      readonly crash: CrashPoint;
    };

/** What the checks of whole states need to know of an actor. */
export interface Observation {
  readonly votes: readonly Proposal[];
  readonly trimmedBelow: number;
  /** What a proposer takes for chosen. */
  readonly chosenBelow: number;
  readonly handedOn: readonly Proposal[];
  /** What is below is in a published snapshot. */
  readonly publishedBelow: number;
}

const nothingObserved: Observation = {
  votes: [],
  trimmedBelow: 0,
  chosenBelow: 0,
  handedOn: [],
  publishedBelow: 0,
};

/** A role with what a host adds to it: storage, bounds, and checks that need to see one actor only. */
export interface Actor {
  readonly observation: Observation;
  /** False when this cannot happen here. A broken invariant throws. */
  apply(happening: Happening): boolean;
  takeSent(): readonly Envelope[];
  /** Everything its future depends on, but for what it has sent. */
  dump(): unknown;
}

/** The roles' clock stands still: a tick says by itself that it is late enough. */
const now = 0;
const late = 1_000_000;

function topologyOf(configuration: Configuration): Topology {
  return {
    proposers: configuration.proposers.length,
    acceptors: configuration.acceptors,
    learners: configuration.learners + configuration.deafLearners,
  };
}

/** Quorums as the runtime has them; or, to show what happens, of sizes that it refuses. */
function quorumsOf({ acceptors, quorums }: Configuration): QuorumSystem {
  if (quorumsIntersect(acceptors, quorums)) return new ThresholdQuorums(acceptors, quorums);
  return {
    acceptors,
    isPrepareQuorum: promised => countAcceptors(promised) >= quorums.prepare,
    isAcceptQuorum: accepted => countAcceptors(accepted) >= quorums.accept,
  };
}

/** What happens to an actor of this role by itself. */
export const spontaneous: Readonly<Record<ActorRole, readonly Input[]>> = {
  proposer: [{ kind: "campaign" }, { kind: "propose" }, { kind: "tick" }, { kind: "restart" }],
  acceptor: [{ kind: "restart" }],
  learner: [{ kind: "tick" }, { kind: "restart" }],
};

/** At which points an actor of this role may crash while it handles a message. */
export const crashPoints: Readonly<Record<ActorRole, readonly CrashPoint[]>> = {
  proposer: ["never"],
  acceptor: ["never", "before persisting", "before sending"],
  learner: ["never"],
};

export function createActor(configuration: Configuration, role: ActorRole, index: number): Actor {
  switch (role) {
    case "proposer":
      return new ProposerActor(configuration, index);
    case "acceptor":
      return new AcceptorActor(configuration);
    case "learner":
      return new LearnerActor(configuration, index);
    default:
      return assertNever(role);
  }
}

class ProposerActor implements Actor {
  readonly #configuration: Configuration;
  readonly #index: number;
  readonly #checks: ProposerChecks;
  #proposer: Proposer;
  #campaigns = 0;
  #restarts = 0;
  #proposals = 0;
  #sent: Envelope[] = [];

  constructor(configuration: Configuration, index: number) {
    this.#configuration = configuration;
    this.#index = index;
    this.#checks = new ProposerChecks(index);
    this.#proposer = this.#start();
  }

  get observation(): Observation {
    return { ...nothingObserved, chosenBelow: this.#proposer.chosenBelow };
  }

  apply(happening: Happening): boolean {
    switch (happening.kind) {
      case "campaign":
        if (this.#campaigns === this.#bounds.campaignsMax) return false;
        this.#campaigns += 1;
        this.#proposer.campaign(now);
        return this.#flush();
      case "propose":
        return this.#propose();
      case "tick":
        this.#proposer.tick(late);
        return this.#flush();
      case "restart":
        if (this.#restarts === this.#bounds.restartsMax) return false;
        this.#restarts += 1;
        this.#proposer = this.#start();
        return true;
      case "deliver":
        this.#proposer.receive(happening.from, happening.message, now);
        return this.#flush();
      default:
        return assertNever(happening);
    }
  }

  takeSent(): readonly Envelope[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  dump(): unknown {
    return [this.#campaigns, this.#restarts, this.#proposals, this.#proposer.dump()];
  }

  get #bounds() {
    return this.#configuration.proposers[this.#index]!;
  }

  /** Each proposer has clients of its own, which number their commands from 1. */
  #propose(): boolean {
    const count = this.#bounds.proposals[this.#proposals];
    if (count === undefined) return false;
    let firstSequence = 1;
    for (let before = 0; before < this.#proposals; before++) firstSequence += this.#bounds.proposals[before]!;
    this.#proposals += 1;
    const commands = Array.from(
      { length: count },
      (_, position) => (this.#index + 1) * 10 + firstSequence + position,
    );
    const segment: CommandSegment = {
      kind: "commands",
      client: this.#index,
      session: this.#index + 1,
      firstSequence,
      count,
      skip: 0,
      acknowledgedBelow: 1,
      answerer: 0,
      bytes: encodeCommands(commands),
    };
    const message = { type: "propose", segments: [segment], forwarded: false } as const;
    this.#proposer.receive(clientAddress(this.#index), message, now);
    return this.#flush();
  }

  #flush(): true {
    for (const envelope of this.#proposer.takeReady(now).send) {
      this.#checks.onSend(envelope.message);
      this.#sent.push(envelope);
    }
    return true;
  }

  /** Incarnations of different proposers and lives differ, as those of a common counter do. */
  #start(): Proposer {
    const configuration = this.#configuration;
    return new Proposer({
      topology: topologyOf(configuration),
      quorums: quorumsOf(configuration),
      index: this.#index,
      incarnation: this.#restarts * configuration.proposers.length + this.#index,
      mode: configuration.mode,
      batch: { commandsMax: configuration.batchCommandsMax, bytesMax: 1 << 16, lingerMs: 0, adaptive: false },
      pipeline: { batchesMax: configuration.pipelineBatchesMax },
      // Whatever is unanswered is late at every tick.
      retransmitMs: 0,
      leaseMs: 0,
      distinguishedLearner: false,
      ...(configuration.digest ? { digest: digestOf } : {}),
      random: () => 0,
    });
  }
}

/** Acceptors are told apart by nobody but the network, so all of them share one space of local states. */
class AcceptorActor implements Actor {
  readonly #configuration: Configuration;
  readonly #checks = new AcceptorChecks();
  /** Storage: all that survives a crash. */
  readonly #records: AcceptorRecord[] = [];
  #acceptor: Acceptor;
  #sent: Envelope[] = [];

  constructor(configuration: Configuration) {
    this.#configuration = configuration;
    this.#acceptor = this.#start();
  }

  get observation(): Observation {
    const { votes, trimmedBelow } = this.#checks;
    return { ...nothingObserved, votes, trimmedBelow };
  }

  apply(happening: Happening): boolean {
    if (happening.kind === "deliver") this.#receive(happening.from, happening.message, happening.crash);
    else if (happening.kind === "restart") this.#acceptor = this.#start();
    else return false;
    this.#checks.onStep(this.#acceptor.promised);
    return true;
  }

  takeSent(): readonly Envelope[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  dump(): unknown {
    const { votes, promised } = this.#checks;
    return [this.#acceptor.dump(), this.#start().dump(), promised, votes];
  }

  #receive(from: Address, message: Message, crash: CrashPoint): void {
    this.#acceptor.receive(from, message, now);
    const { persist, send } = this.#acceptor.takeReady();
    if (crash !== "before persisting") this.#persist(persist);
    if (crash === "never") this.#send(send);
    else this.#acceptor = this.#start();
  }

  #persist(records: readonly AcceptorRecord[]): void {
    for (const record of records) {
      this.#checks.onPersist(record);
      this.#records.push(record);
    }
  }

  #send(envelopes: readonly Envelope[]): void {
    for (const envelope of envelopes) {
      this.#checks.onSend(envelope.message);
      this.#sent.push(envelope);
    }
  }

  #start(): Acceptor {
    const recovered = this.#records.length === 0 ? undefined : recoverAcceptor(this.#records);
    const { promisePartBytesMax } = this.#configuration;
    const topology = topologyOf(this.#configuration);
    const bounds = { promisePartBytesMax, fetchBytesMax: 1 << 16 };
    return new Acceptor({ topology, leaseMs: 0, bounds }, recovered, now);
  }
}

class LearnerActor implements Actor {
  readonly #configuration: Configuration;
  readonly #index: number;
  readonly #checks = new LearnerChecks();
  #learner: Learner;
  /** In memory that outlives it: everything below is in a snapshot. */
  #publishedBelow = 0;
  #sent: Envelope[] = [];

  constructor(configuration: Configuration, index: number) {
    this.#configuration = configuration;
    this.#index = index;
    this.#learner = this.#start();
  }

  get observation(): Observation {
    const { handedOn } = this.#checks;
    return { ...nothingObserved, handedOn, publishedBelow: this.#publishedBelow };
  }

  apply(happening: Happening): boolean {
    switch (happening.kind) {
      case "deliver":
        this.#learner.receive(happening.from, happening.message, now);
        return this.#flush();
      case "tick":
        // So much time that it has asked in vain as often as it counts.
        for (let tick = 0; tick <= limits.fetchesInVainMax; tick++) this.#learner.tick(late);
        this.#publishedBelow = this.#learner.chosenBelow;
        this.#learner.published(this.#publishedBelow);
        return this.#flush();
      case "restart":
        this.#checks.onRestart(this.#publishedBelow);
        this.#learner = this.#start();
        return true;
      default:
        return false;
    }
  }

  takeSent(): readonly Envelope[] {
    const sent = this.#sent;
    this.#sent = [];
    return sent;
  }

  dump(): unknown {
    const { handedOn } = this.#checks;
    return [this.#learner.dump(), handedOn.map(({ value }) => value.text), this.#publishedBelow];
  }

  #flush(): true {
    const { chosen, send } = this.#learner.takeReady();
    for (const entry of chosen) this.#checks.onHandOn(entry);
    this.#sent.push(...send);
    return true;
  }

  #start(): Learner {
    const options = {
      topology: topologyOf(this.#configuration),
      quorums: quorumsOf(this.#configuration),
      index: this.#index,
      fetchAfterMs: 0,
      ...(this.#configuration.digest ? { digest: digestOf } : {}),
    };
    return new Learner(options, this.#publishedBelow);
  }
}
