import { type FileHandle, open } from "node:fs/promises";
import type { ResultLine } from "./format.js";

/** Appends results to a file, each with its newline in one write: whoever is ended in between leaves whole lines. */
export class ResultWriter {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Begins a file, or goes on behind its first `wholeBytes` bytes; a line behind them was cut, and is dropped. */
  static async open(file: string, wholeBytes: number): Promise<ResultWriter> {
    const handle = await open(file, "a");
    try {
      await handle.truncate(wholeBytes);
      return new ResultWriter(handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Several lines are there together, or not at all, as far as the operating system keeps a write together. */
  async write(...lines: readonly ResultLine[]): Promise<void> {
    await this.#handle.appendFile(lines.map(line => `${JSON.stringify(line)}\n`).join(""));
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
