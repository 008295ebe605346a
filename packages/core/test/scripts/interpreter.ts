import {
  type Address,
  InvariantViolation,
  indexOf,
  majorities,
  type QuorumSizes,
  ThresholdQuorums,
} from "@synod/core";
import { AcceptorActor, ClientActor, type ClusterOptions, LearnerActor, ProposerActor } from "./actors.js";
import { Cluster } from "./cluster.js";
import { parseAddresses, parseSelector } from "./selector.js";

type Run = (words: readonly string[], settings: Settings) => readonly string[];

/** The `name=value` words of a command. */
class Settings {
  readonly #values: Map<string, string>;

  constructor(values: Map<string, string>) {
    this.#values = values;
  }

  text(name: string, otherwise: string): string {
    const value = this.#values.get(name) ?? otherwise;
    this.#values.delete(name);
    return value;
  }

  number(name: string, otherwise: number): number {
    const value = Number(this.text(name, String(otherwise)));
    if (Number.isNaN(value)) throw new Error(`${name} is a number`);
    return value;
  }

  /** What nobody has asked for is a mistake of the script. */
  assertEmpty(): void {
    for (const name of this.#values.keys()) throw new Error(`no such setting: ${name}`);
  }
}

/** Runs the commands of one script; CONTRIBUTING.md lists them. */
export class Interpreter {
  #cluster: Cluster | undefined;

  readonly #commands: Readonly<Record<string, Run>> = {
    cluster: (_, settings) => this.#start(settings),
    connect: ([client], settings) => {
      const learner = settings.text("answerer", "learner-0");
      return this.#running.connect(clientIndex(client), indexOf("learner", learner));
    },
    propose: ([client, ...values], settings) => {
      const timeoutMs = settings.number("timeout", Number.POSITIVE_INFINITY);
      return this.#running.act(named(client), ClientActor, (actor, now) => {
        if (actor.room < values.length) throw new Error(`${client} has room for ${actor.room} commands`);
        actor.submit(values, timeoutMs, now);
      });
    },
    abandon: ([client, sequence]) =>
      this.#running.act(named(client), ClientActor, actor => actor.abandon(Number(sequence))),
    query: ([client], settings) => {
      const learner = settings.text("learner", "");
      return this.#running.act(named(client), ClientActor, actor => actor.query(learner || undefined));
    },
    close: ([client]) => this.#running.act(named(client), ClientActor, actor => actor.close()),
    campaign: ([proposer]) =>
      this.#running.act(named(proposer), ProposerActor, (actor, now) => actor.campaign(now)),
    messages: () => this.#running.messages(),
    deliver: words => orNone(this.#running.deliver(parseSelector(words))),
    stabilize: words => {
      if (/^\d/.test(words[0] ?? "")) throw new Error("numbers change with every delivery");
      return orNone(this.#running.stabilize(parseSelector(words)));
    },
    drop: words => orNone(this.#running.drop(parseSelector(words))),
    duplicate: words => orNone(this.#running.duplicate(parseSelector(words))),
    tick: words => this.#each(words, address => this.#running.tick(address)),
    advance: ([ms], settings) => {
      const asleep = settings.text("asleep", "");
      const addresses = asleep === "" ? [] : parseAddresses(asleep);
      const lines = this.#running.advance(Number(ms), new Set(addresses));
      return [...lines, `now ${this.#running.now} ms`];
    },
    crash: words =>
      this.#each(words, address => {
        this.#running.crash(address);
        return [];
      }),
    restart: words => this.#each(words, address => this.#running.restart(address)),
    hold: ([acceptor]) => this.#running.act(named(acceptor), AcceptorActor, actor => actor.hold()),
    release: ([acceptor]) => this.#running.release(named(acceptor)),
    status: words => this.#each(words, address => this.#status(address)),
    log: ([learner]) => {
      const actor = this.#running.actor(named(learner));
      if (!(actor instanceof LearnerActor)) throw new Error(`${learner} has no log`);
      return orNone(actor.log.describe());
    },
    quietly: words => {
      this.#dispatch(words);
      return [];
    },
  };

  /** The lines of the transcript. A broken invariant is one; a mistake of the script throws. */
  run(command: string): readonly string[] {
    try {
      return this.#dispatch(command.trim().split(/\s+/));
    } catch (error) {
      if (error instanceof InvariantViolation) return [`${error.name}: ${error.message}`];
      throw error;
    }
  }

  #dispatch([name = "", ...words]: readonly string[]): readonly string[] {
    const run = this.#commands[name];
    if (run === undefined) throw new Error(`no such command: ${name}`);
    // The words of a quiet command are read by the command itself.
    if (name === "quietly") return run(words, new Settings(new Map()));
    const isSetting = (word: string) => /^[a-z]+=/i.test(word);
    const pairs = words.filter(isSetting).map(word => word.split("=", 2) as [string, string]);
    const settings = new Settings(new Map(pairs));
    const lines = run(
      words.filter(word => !isSetting(word)),
      settings,
    );
    settings.assertEmpty();
    return lines;
  }

  get #running(): Cluster {
    if (this.#cluster === undefined) throw new Error("a script begins with a cluster");
    return this.#cluster;
  }

  #start(settings: Settings): readonly string[] {
    const topology = {
      proposers: settings.number("proposers", 2),
      acceptors: settings.number("acceptors", 3),
      learners: settings.number("learners", 1),
    };
    const majority = majorities(topology.acceptors);
    const sizes: QuorumSizes = {
      prepare: settings.number("prepare", majority.prepare),
      accept: settings.number("accept", majority.accept),
    };
    const options: ClusterOptions = {
      topology,
      quorums: new ThresholdQuorums(topology.acceptors, sizes),
      mode: settings.text("mode", "multi") === "basic" ? "basic" : "multi",
      batchCommandsMax: settings.number("batch", 4),
      pipelineBatchesMax: settings.number("pipeline", 4),
      retransmitMs: settings.number("retransmitMs", 100),
      fetchAfterMs: settings.number("fetchAfterMs", 30),
      promisePartBytesMax: settings.number("promiseBytes", 1000),
      retryAfterMs: settings.number("retryAfterMs", 1000),
      firstInstance: settings.number("firstInstance", 0),
    };
    this.#cluster = new Cluster(options);
    return [];
  }

  /** The command's transcript for each of the actors that the words name, or for all actors. */
  #each(words: readonly string[], run: (address: Address) => readonly string[]): readonly string[] {
    const cluster = this.#running;
    const named = words.flatMap(word => {
      if (word === "all") return cluster.addresses;
      if (!word.endsWith("s")) return parseAddresses(word);
      return cluster.addresses.filter(address => address.startsWith(`${word.slice(0, -1)}-`));
    });
    return (words.length === 0 ? cluster.addresses : named).flatMap(run);
  }

  #status(address: Address): readonly string[] {
    const [first = "", ...rest] = this.#running.actor(address).status();
    const down = this.#running.isDown(address) ? "down; " : "";
    return [`${address.padEnd(10)}  ${down}${first}`, ...rest.map(line => `${" ".repeat(12)}${line}`)];
  }
}

function named(word: string | undefined): Address {
  if (word === undefined) throw new Error("the command names an actor");
  return word;
}

function clientIndex(word: string | undefined): number {
  const match = /^client-(\d+)$/.exec(named(word));
  if (match === null) throw new Error(`not a client: ${word}`);
  return Number(match[1]);
}

function orNone(lines: readonly string[]): readonly string[] {
  return lines.length > 0 ? lines : ["none"];
}
