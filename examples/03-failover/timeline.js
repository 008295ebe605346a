const sliceMs = 50;
const barCharactersMax = 50;

/** What happened when, and how many commands were acknowledged meanwhile. */
export class Timeline {
  #startMs = performance.now();
  #notes = [];
  /** Acknowledged commands, by slices of time. */
  #slices = [];
  #total = 0;
  /** Who waits for so many in all. */
  #waiting = [];

  note(text) {
    this.#notes.push({ slice: this.#slice(), text });
  }

  acknowledged() {
    const slice = this.#slice();
    this.#slices[slice] = (this.#slices[slice] ?? 0) + 1;
    this.#total += 1;
    while (this.#waiting.length > 0 && this.#total >= this.#waiting[0].total) this.#waiting.shift().resolve();
  }

  /** Resolves when so many more commands have been acknowledged. One waits at a time. */
  acknowledgements(count) {
    return new Promise(resolve => this.#waiting.push({ total: this.#total + count, resolve }));
  }

  print(stream) {
    const most = Math.max(...this.#slices.filter(Boolean));
    for (let slice = 0; slice < this.#slices.length; slice++) {
      const count = this.#slices[slice] ?? 0;
      const bar = "#".repeat(Math.ceil((count / most) * barCharactersMax));
      stream.write(`${String(slice * sliceMs).padStart(6)} ms ${String(count).padStart(6)} ${bar}\n`);
      for (const { text } of this.#notes.filter(note => note.slice === slice))
        stream.write(`          ${text}\n`);
    }
  }

  #slice() {
    return Math.floor((performance.now() - this.#startMs) / sliceMs);
  }
}
