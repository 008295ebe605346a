/** Completed operations are remembered for so long, in milliseconds: whoever tells of a fault may be late. */
const rememberedMs = 60_000;

/** A fault that has struck. */
export interface Strike {
  readonly id: number;
  /** When it began: recovery is counted from here. */
  readonly calledAtMs: number;
  /** When it had struck: only operations called afterwards show that it is over. */
  readonly struckAtMs: number;
  /** The clients that are to be answered again. */
  readonly clients: readonly number[];
}

/** How long after a fault began an operation was answered that was called after it had struck. */
export interface Recovery {
  readonly id: number;
  /** One client's. */
  readonly firstMs: number;
  /** The last client's. */
  readonly everyMs: number;
}

interface Open {
  readonly strike: Strike;
  readonly missing: Set<number>;
  firstMs: number;
  everyMs: number;
}

interface Completed {
  readonly calledAtMs: number;
  readonly returnedAtMs: number;
}

/** Finds out from what clients noted when each fault was over. Times are of one clock for all clients. */
export class RecoveryClock {
  readonly #onRecovered: (recovery: Recovery) => void;
  readonly #open = new Set<Open>();
  readonly #recent = new Map<number, Completed[]>();
  readonly #ended = new Set<number>();

  constructor(onRecovered: (recovery: Recovery) => void) {
    this.#onRecovered = onRecovered;
  }

  /** Faults that are not over. */
  get open(): number[] {
    return [...this.#open].map(({ strike }) => strike.id);
  }

  struck(strike: Strike): void {
    const missing = new Set(strike.clients.filter(client => !this.#ended.has(client)));
    const open: Open = { strike, missing, firstMs: Number.POSITIVE_INFINITY, everyMs: 0 };
    this.#open.add(open);
    for (const client of strike.clients) {
      for (const completed of this.#recent.get(client) ?? []) this.#look(open, client, completed);
    }
    this.#closeIfOver(open);
  }

  /** Of one client in the order of their returns. */
  completed(client: number, calledAtMs: number, returnedAtMs: number): void {
    const completed = { calledAtMs, returnedAtMs };
    const recent = this.#recent.get(client) ?? [];
    if (recent.length === 0) this.#recent.set(client, recent);
    recent.push(completed);
    if (returnedAtMs - recent[0]!.returnedAtMs > 2 * rememberedMs) {
      const kept = recent.filter(({ returnedAtMs: at }) => returnedAtMs - at <= rememberedMs);
      this.#recent.set(client, kept);
    }
    for (const open of this.#open) {
      this.#look(open, client, completed);
      this.#closeIfOver(open);
    }
  }

  /** A client that has ended need not be answered. */
  ended(client: number): void {
    this.#ended.add(client);
    this.#recent.delete(client);
    for (const open of this.#open) {
      open.missing.delete(client);
      this.#closeIfOver(open);
    }
  }

  #look(open: Open, client: number, { calledAtMs, returnedAtMs }: Completed): void {
    if (calledAtMs < open.strike.struckAtMs || !open.missing.delete(client)) return;
    const tookMs = returnedAtMs - open.strike.calledAtMs;
    open.firstMs = Math.min(open.firstMs, tookMs);
    open.everyMs = Math.max(open.everyMs, tookMs);
  }

  #closeIfOver(open: Open): void {
    if (open.missing.size > 0 || !this.#open.delete(open)) return;
    if (open.everyMs === 0) return;
    this.#onRecovered({ id: open.strike.id, firstMs: open.firstMs, everyMs: open.everyMs });
  }
}
