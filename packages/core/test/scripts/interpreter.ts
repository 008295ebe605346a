import { type Address, type Consistency, InvariantViolation, indexOf } from "@synod/core";
import { AcceptorActor } from "./actors/acceptor-actor.js";
import { ClientActor } from "./actors/client-actor.js";
import { LearnerActor } from "./actors/learner-actor.js";
import { ProposerActor } from "./actors/proposer-actor.js";
import { Cluster } from "./cluster.js";
import { clusterOptions } from "./cluster-options.js";
import { parseAddresses, parseSelector } from "./selector.js";
import { Settings } from "./settings.js";

type Run = (words: readonly string[], settings: Settings) => readonly string[];

/** Runs the commands of one script; CONTRIBUTING.md lists them. */
export class Interpreter {
  #cluster: Cluster | undefined;

  readonly #commands: Readonly<Record<string, Run>> = {
    cluster: (flags, settings) => this.#begin(flags, settings),
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
    query: ([client], settings) => this.#read(named(client), "sequential", settings),
    read: ([client], settings) => this.#read(named(client), "linearizable", settings),
    redirect: ([client, , proposer]) => {
      const leader = this.#running.actor(named(proposer));
      if (!(leader instanceof ProposerActor)) throw new Error(`${proposer} is not a proposer`);
      const { index, ballot } = leader;
      return this.#running.act(named(client), ClientActor, (actor, now) =>
        actor.redirect(index, ballot, now),
      );
    },
    close: ([client]) => this.#running.act(named(client), ClientActor, actor => actor.close()),
    campaign: ([proposer]) =>
      this.#running.act(named(proposer), ProposerActor, (actor, now) => actor.campaign(now)),
    start: words =>
      this.#each(words, address =>
        this.#running.act(address, ProposerActor, (actor, now) => actor.start(now)),
      ),
    transfer: ([proposer, , successor]) => {
      const to = indexOf("proposer", named(successor));
      return this.#running.act(named(proposer), ProposerActor, (actor, now) =>
        actor.transferLeadership(to, now),
      );
    },
    snapshot: ([learner]) => this.#running.act(named(learner), LearnerActor, actor => actor.publish()),
    pin: ([learner, , other]) =>
      this.#running.act(named(learner), LearnerActor, (actor, now) => actor.pin(this.#learner(other), now)),
    restore: ([learner, , other]) =>
      this.#running.act(named(learner), LearnerActor, (actor, now) =>
        actor.restore(this.#learner(other), now),
      ),
    lie: ([learner]) => this.#running.act(named(learner), LearnerActor, actor => actor.lie()),
    pause: ([learner]) => this.#running.act(named(learner), LearnerActor, (actor, now) => actor.pause(now)),
    resume: ([learner]) => this.#running.act(named(learner), LearnerActor, (actor, now) => actor.resume(now)),
    messages: () => this.#running.messages(),
    deliver: words => orNone(this.#running.deliver(parseSelector(words))),
    stabilize: words => {
      if (/^\d/.test(words[0] ?? "")) throw new Error("numbers change with every delivery");
      return orNone(this.#running.stabilize(parseSelector(words)));
    },
    drop: words => orNone(this.#running.drop(parseSelector(words))),
    duplicate: words => orNone(this.#running.duplicate(parseSelector(words))),
    corrupt: words => orNone(this.#running.corrupt(parseSelector(words))),
    tick: words => this.#each(words, address => this.#running.tick(address)),
    advance: ([ms], settings) => {
      const asleep = settings.text("asleep", "");
      const addresses = asleep === "" ? [] : parseAddresses(asleep);
      const lines = this.#running.advance(Number(ms), new Set(addresses));
      return [...lines, `now ${this.#running.now} ms`];
    },
    run: ([ms, ...words]) => {
      const lines = this.#running.run(Number(ms), parseSelector(words));
      return [...lines, `now ${this.#running.now} ms`];
    },
    crash: words =>
      this.#each(words, address => {
        this.#running.crash(address);
        return [];
      }),
    restart: words => {
      const forgets = words.slice(-2).join(" ") === "without lease";
      const named = forgets ? words.slice(0, -2) : words;
      return this.#each(named, address => this.#running.restart(address, !forgets));
    },
    fill: words => this.#setFull(words, true),
    empty: words => this.#setFull(words, false),
    hold: ([acceptor]) => this.#running.act(named(acceptor), AcceptorActor, actor => actor.hold()),
    release: ([acceptor]) => this.#running.release(named(acceptor)),
    status: words => this.#each(words, address => this.#status(address)),
    log: ([learner, times]) => {
      const actor = this.#running.actor(named(learner));
      if (!(actor instanceof LearnerActor)) throw new Error(`${learner} has no log`);
      return orNone(actor.log.describe(times === "times"));
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

  #begin(flags: readonly string[], settings: Settings): readonly string[] {
    this.#cluster = new Cluster(clusterOptions(flags, settings));
    return [];
  }

  #setFull(words: readonly string[], isFull: boolean): readonly string[] {
    return this.#each(words, address =>
      this.#running.act(address, AcceptorActor, actor => actor.setFull(isFull)),
    );
  }

  #learner(word: string | undefined): LearnerActor {
    const actor = this.#running.actor(named(word));
    if (!(actor instanceof LearnerActor)) throw new Error(`${word} is not a learner`);
    return actor;
  }

  #read(client: Address, consistency: Consistency, settings: Settings): readonly string[] {
    const timeoutMs = settings.number("timeout", Number.POSITIVE_INFINITY);
    return this.#running.act(client, ClientActor, (actor, now) => actor.read(consistency, timeoutMs, now));
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
    const [first = "", ...rest] = this.#running.actor(address).status(this.#running.now);
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
