import { Client } from "../client.js";
import type { Address, Envelope, Message } from "../messages.js";
import { encodeCommands } from "./values.js";
import type { Host, World } from "./world.js";

const timing = { retryAfterMs: 80, retryAfterMsMax: 400 } as const;
/** Commands of one client are numbered from its own base, so that every command of a run is unique. */
const commandsPerClient = 1 << 16;

interface Asked {
  readonly below: number;
  readonly applied: number;
}

/** A client with its callers: it submits, loses patience, asks, and leaves. */
export class ClientHost implements Host {
  readonly role = "client";
  readonly address: Address;
  readonly #client: Client;
  readonly #commands = new Map<number, number>();
  readonly #waiting = new Set<number>();
  readonly #asked = new Map<number, Asked>();
  #nextCommand: number;
  #nextQuery = 0;
  /** The most commands that this client has seen the effect of. */
  #seenApplied = 0;
  #highestProposed = 0;

  constructor(
    readonly world: World,
    readonly index: number,
    now: number,
  ) {
    const { topology, windowCommandsMax } = world.profile;
    this.#client = new Client({
      topology,
      client: index,
      windowCommandsMax,
      ...timing,
      answerer: index % topology.learners,
    });
    this.address = this.#client.address;
    this.#nextCommand = index * commandsPerClient;
    this.#client.open(now);
  }

  get deadline(): number {
    return this.#client.deadline;
  }

  get closed(): boolean {
    return this.#client.state === "closed";
  }

  /** Open, and no number and no caller waits. */
  get settled(): boolean {
    return this.#client.state === "open" && this.#client.unanswered === 0 && this.#waiting.size === 0;
  }

  /** One turn of the callers. Returns false when this client has left. */
  act(now: number): boolean {
    const { random, profile } = this.world;
    // What has been answered reaches the callers before they do anything else.
    this.flush();
    if (this.#client.state !== "open") return true;
    if (random.chance(profile.faults.leave)) {
      this.#client.close();
      this.#waiting.clear();
      return false;
    }
    for (const sequence of [...this.#waiting]) {
      if (!random.chance(profile.faults.abandon / 4)) continue;
      this.#client.abandon(sequence);
      this.#waiting.delete(sequence);
    }
    if (random.chance(0.7)) this.submit(random.between(1, 4), now);
    if (random.chance(0.3)) {
      const id = this.#nextQuery++;
      const appliedBelow = this.#client.observedBelow;
      this.#asked.set(id, { below: appliedBelow, applied: this.#seenApplied });
      const message: Message = { type: "query", id, appliedBelow, bytes: new Uint8Array() };
      this.world.send(this, [{ to: [this.#client.answerer], message }]);
    }
    return true;
  }

  submit(wanted: number, now: number): void {
    const { random, profile, counters } = this.world;
    const count = Math.min(wanted, this.#client.room);
    if (count === 0) return;
    const commands = Array.from({ length: count }, () => this.#nextCommand++);
    const hurried = this.world.faulty && random.chance(profile.faults.abandon);
    const deadlines = commands.map(() => (hurried ? now + random.between(1, 200) : Number.POSITIVE_INFINITY));
    const first = this.#client.submit(encodeCommands(commands), deadlines, now);
    commands.forEach((command, position) => {
      this.#commands.set(first + position, command);
      this.#waiting.add(first + position);
    });
    counters.commands += count;
  }

  receive(from: Address, message: Message, now: number): void {
    if (message.type !== "answer") return this.#client.receive(from, message, now);
    const asked = this.#asked.get(message.id);
    if (asked === undefined) return;
    this.#asked.delete(message.id);
    this.world.checker.onAnswer(message.appliedBelow, message.result, asked);
    this.world.counters.answers += 1;
    this.#client.observe(message.appliedBelow);
    this.#seenApplied = Math.max(this.#seenApplied, message.result as number);
  }

  tick(now: number): void {
    this.#client.tick(now);
  }

  flush(): void {
    const { send, settled, expired } = this.#client.takeReady();
    for (const sequence of expired) this.#waiting.delete(sequence);
    const session = this.#client.session ?? -1;
    for (const { firstSequence, results } of settled) {
      results.forEach((result, position) => {
        const sequence = firstSequence + position;
        if (!this.#waiting.delete(sequence)) this.world.checker.onSettledTwice();
        this.world.checker.onSettled(session, sequence, this.#commands.get(sequence) ?? -1, result);
        this.#seenApplied = Math.max(this.#seenApplied, result as number);
      });
    }
    this.world.checker.onClientStep(this.#client.state !== "expired");
    this.#countResends(send);
    this.world.send(this, send);
  }

  restart(): void {}

  #countResends(send: readonly Envelope[]): void {
    for (const { message } of send) {
      if (message.type !== "propose") continue;
      for (const segment of message.segments) {
        if (!("firstSequence" in segment)) continue;
        if (segment.firstSequence <= this.#highestProposed) this.world.counters.sequenceResends += 1;
        this.#highestProposed = Math.max(this.#highestProposed, segment.firstSequence);
      }
    }
  }
}
