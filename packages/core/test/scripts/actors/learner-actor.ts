import {
  type Address,
  actorAddress,
  type CommandSegment,
  type DigestMismatch,
  Learner,
  type Message,
  Replica,
  type Result,
} from "@synod/core";
import { describeBallot, describeEntry } from "@synod/core/testing";
import { AppliedLog } from "../applied-log.js";
import { describeWords, digestOf, wordsOf } from "../payload.js";
import type { ClusterOptions, ScriptActor, Step } from "./script-actor.js";

/** A learner with the replica that it feeds. The state machine is a list: a command's result is its length. */
export class LearnerActor implements ScriptActor {
  readonly address: Address;
  log = new AppliedLog();
  #learner: Learner;
  #replica: Replica;

  constructor(
    readonly options: ClusterOptions,
    readonly index: number,
  ) {
    this.address = actorAddress("learner", index);
    this.#learner = this.#createLearner();
    this.#replica = this.#createReplica();
  }

  get deadline(): number {
    return this.#learner.deadline;
  }

  receive(from: Address, message: Message, now: number): void {
    if (message.type === "query") this.#replica.receive(from, message);
    else this.#learner.receive(from, message, now);
  }

  tick(now: number): void {
    this.#learner.tick(now);
  }

  step(): Step {
    const { chosen, send, mismatches } = this.#learner.takeReady();
    const lines = mismatches.map(
      mismatch => `${this.address} does not believe ${describeMismatch(mismatch)}`,
    );
    for (const entry of chosen) {
      lines.push(`${this.address} learns ${describeEntry(entry, describeWords)}`);
      this.#replica.apply(entry);
      for (const skipped of this.log.add(entry)) lines.push(`${this.address} does not apply ${skipped}`);
    }
    return { lines, send: [...send, ...this.#replica.takeReady().send] };
  }

  restart(): string {
    this.log = new AppliedLog();
    this.#learner = this.#createLearner();
    this.#replica = this.#createReplica();
    return "an empty log";
  }

  status(): readonly string[] {
    const { chosenBelow, trimmedBelow } = this.#learner;
    const trimmed = trimmedBelow > 0 ? `, acceptors have trimmed below ${trimmedBelow}` : "";
    return [`chosen below ${chosenBelow}, applied below ${this.#replica.appliedBelow}${trimmed}`];
  }

  #createLearner(): Learner {
    const { topology, quorums, fetchAfterMs, firstInstance, digest } = this.options;
    const digests = digest ? { digest: digestOf } : {};
    return new Learner({ topology, quorums, index: this.index, fetchAfterMs, ...digests }, firstInstance);
  }

  #createReplica(): Replica {
    const host = {
      apply: (segment: CommandSegment, skip: number, firstInstance: number): readonly Result[] =>
        wordsOf(segment, skip).map((word, position) => this.log.apply(word, firstInstance + position)),
      query: () => `[${this.log.words.join(", ")}]`,
    };
    return new Replica({ learner: this.index, host, sessionTimeoutMs: this.options.sessionTimeoutMs });
  }
}

function describeMismatch({ ballot, firstInstance, count, expected, found }: DigestMismatch): string {
  const instances = count === 1 ? `${firstInstance}` : `${firstInstance}..${firstInstance + count - 1}`;
  return `${instances} in ${describeBallot(ballot)}: digest ${found.toString(16)}, not ${expected.toString(16)}`;
}
