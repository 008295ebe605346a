import { Client } from "../client.js";
import type { Address, Envelope, Message } from "../messages.js";
import { encodeCommands } from "./values.js";
import type { Host, World } from "./world.js";

const timing = { retryAfterMs: 80, retryAfterMsMax: 400 } as const;
/** Commands of one client are numbered from its own base, so that every command of a run is unique. */
const commandsPerClient = 1 << 16;
/** A client says so often, within the time after which its session would expire, that it lives. */
const keepAlivesPerTimeout = 4;

/** What a client had seen when it began a sequential read. */
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
  /** Sequential reads that are not answered. */
  readonly #asked = new Map<number, Asked>();
  /** Linearizable reads that are not answered. */
  readonly #reading = new Set<number>();
  #nextCommand: number;
  /** The most commands that this client has seen the effect of. */
  #seenApplied = 0;
  #highestProposed = 0;
  #expiryNoted = false;

  constructor(
    readonly world: World,
    readonly index: number,
    now: number,
  ) {
    const { topology, windowCommandsMax, sessionTimeoutMs, leaseMs, batchCommandsMax, adaptive } =
      world.profile;
    this.#client = new Client({
      topology,
      client: index,
      windowCommandsMax,
      leaseMs,
      ...timing,
      keepAliveMs: sessionTimeoutMs / keepAlivesPerTimeout,
      answerer: index % topology.learners,
      batch: { commandsMax: batchCommandsMax, adaptive },
    });
    this.address = this.#client.address;
    this.#nextCommand = index * commandsPerClient;
    this.#client.open(now);
  }

  get deadline(): number {
    return this.#client.deadline;
  }

  get session(): number | undefined {
    return this.#client.session;
  }

  /** It has left, or its session has expired. */
  get gone(): boolean {
    return this.#client.state === "closed" || this.#client.state === "expired";
  }

  get onlyReads(): boolean {
    return this.world.profile.readers && this.index % 2 === 1;
  }

  /** Open, and no number and no caller waits. */
  get settled(): boolean {
    const isQuiet = this.#client.unanswered === 0 && this.#waiting.size === 0 && this.#client.openReads === 0;
    return this.#client.state === "open" && isQuiet;
  }

  get waitsFor(): string {
    const { state, unanswered, openReads } = this.#client;
    return `is ${state} and waits for ${unanswered} commands and ${openReads} reads`;
  }

  /** One turn of the callers. Returns false when this client has gone. */
  act(now: number): boolean {
    const { random, profile } = this.world;
    // What has been answered reaches the callers before they do anything else.
    this.flush();
    if (this.gone) return false;
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
    if (this.onlyReads) {
      if (random.chance(0.6)) this.#read(now);
      return true;
    }
    // A leader that has something under way answers no read before it is chosen: readers want pauses.
    if (random.chance(profile.readers ? 0.15 : 0.7)) this.submit(random.between(1, 4), now);
    if (random.chance(0.3)) this.#read(now);
    return true;
  }

  submit(wanted: number, now: number): void {
    const { random, profile, counters, operations } = this.world;
    const count = Math.min(wanted, this.#client.room);
    if (count === 0) return;
    const commands = Array.from({ length: count }, () => this.#nextCommand++);
    const hurried = this.world.faulty && random.chance(profile.faults.abandon);
    const deadlines = commands.map(() => (hurried ? now + random.between(1, 200) : Number.POSITIVE_INFINITY));
    const first = this.#client.submit(encodeCommands(commands), deadlines, now);
    commands.forEach((command, position) => {
      this.#commands.set(first + position, command);
      this.#waiting.add(first + position);
      operations.proposed(this.index, command);
    });
    counters.commands += count;
  }

  receive(from: Address, message: Message, now: number): void {
    if (message.type === "answer") {
      const asked = this.#asked.get(message.id);
      if (asked !== undefined) this.world.checker.onAnswer(message.appliedBelow, message.result, asked);
    }
    this.#client.receive(from, message, now);
  }

  tick(now: number): void {
    this.#client.tick(now);
  }

  flush(): void {
    const { checker, operations } = this.world;
    const { send, settled, expired, answered, expiredReads } = this.#client.takeReady();
    for (const { sequence } of expired) this.#waiting.delete(sequence);
    for (const { id } of expiredReads) this.#reading.delete(id);
    const session = this.#client.session ?? -1;
    for (const { firstSequence, results } of settled) {
      Array.from(results).forEach((result, position) => {
        const sequence = firstSequence + position;
        if (!this.#waiting.delete(sequence)) checker.onSettledTwice();
        const command = this.#commands.get(sequence) ?? -1;
        checker.onSettled(session, sequence, command, result);
        operations.settled(command, result as number);
        this.#seenApplied = Math.max(this.#seenApplied, result as number);
      });
    }
    for (const { id, result } of answered) this.#onRead(id, result as number);
    this.#noteExpiry();
    this.#countSent(send);
    this.world.send(this, send);
  }

  crash(): void {}

  restart(): void {}

  #read(now: number): void {
    const { random, profile, operations } = this.world;
    const consistency = random.chance(0.5) ? "linearizable" : "sequential";
    const hurried = this.world.faulty && random.chance(profile.faults.abandon);
    const deadline = hurried ? now + random.between(1, 200) : Number.POSITIVE_INFINITY;
    const id = this.#client.read(new Uint8Array(), consistency, deadline, now);
    if (consistency === "linearizable") {
      this.#reading.add(id);
      operations.asked(this.index, id);
    } else this.#asked.set(id, { below: this.#client.observedBelow, applied: this.#seenApplied });
  }

  #onRead(id: number, applied: number): void {
    const { counters, operations } = this.world;
    counters.answers += 1;
    this.#asked.delete(id);
    if (this.#reading.delete(id)) operations.answered(this.index, id, applied);
    this.#seenApplied = Math.max(this.#seenApplied, applied);
  }

  #noteExpiry(): void {
    if (this.#client.state !== "expired" || this.#expiryNoted) return;
    this.#expiryNoted = true;
    this.world.counters.expiries += 1;
    const { profile } = this.world;
    const hasFaults = Object.values(profile.faults).some(probability => probability > 0);
    // A lease that hardly outlasts the messages lets proposers duel without any faults.
    const isCalm =
      !hasFaults && profile.deadForEver === "nobody" && profile.leaseMs >= 8 * profile.delayMsMax;
    this.world.checker.onExpired(this.#client.session ?? -1, !isCalm && !this.world.mustLive(this));
    this.#waiting.clear();
  }

  #countSent(send: readonly Envelope[]): void {
    const { counters } = this.world;
    for (const { message } of send) {
      if (message.type !== "propose") continue;
      for (const segment of message.segments) {
        if (segment.kind === "keepAlive") counters.keepAlives += 1;
        if (!("firstSequence" in segment)) continue;
        if (segment.firstSequence <= this.#highestProposed) counters.sequenceResends += 1;
        this.#highestProposed = Math.max(this.#highestProposed, segment.firstSequence);
      }
    }
  }
}
