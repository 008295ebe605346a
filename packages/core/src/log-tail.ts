/** Pieces in which the tail is counted: so much coarser than a byte is its beginning. */
const piecesMax = 64;

interface Piece {
  readonly firstInstance: number;
  bytes: number;
}

/** Where the end of the log begins that is kept for learners that lag: as many bytes as are asked for, or a bit more. */
export class LogTail {
  readonly #bytesWanted: number;
  /** Oldest first; what comes before weighs nothing any more. */
  readonly #pieces: Piece[] = [];
  #bytes = 0;
  #end = 0;

  constructor(bytes: number) {
    this.#bytesWanted = bytes;
  }

  /** These instances were applied, the next ones; they weigh so many bytes. */
  add(firstInstance: number, count: number, bytes: number): void {
    const last = this.#pieces.at(-1);
    if (last !== undefined && last.bytes + bytes <= this.#bytesWanted / piecesMax) last.bytes += bytes;
    else this.#pieces.push({ firstInstance, bytes });
    this.#bytes += bytes;
    this.#end = firstInstance + count;
    for (;;) {
      const [oldest] = this.#pieces;
      if (oldest === undefined || this.#bytes - oldest.bytes < this.#bytesWanted) return;
      this.#bytes -= oldest.bytes;
      this.#pieces.shift();
    }
  }

  /** A snapshot was restored: what it holds was never weighed here. */
  clear(): void {
    this.#pieces.length = 0;
    this.#bytes = 0;
  }

  /** The first instance of the tail; 0 while what was applied here does not weigh enough. */
  get firstInstance(): number {
    if (this.#bytes < this.#bytesWanted) return 0;
    return this.#pieces[0]?.firstInstance ?? this.#end;
  }
}
