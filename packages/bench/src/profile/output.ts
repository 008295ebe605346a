import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What is written to a folder, by name. */
export type Files = ReadonlyMap<string, string>;

/** Lists what a run has written, so that the next one may replace it, and nothing else. */
const reportFile = "profile.json";
const writer = "synod-bench profile";

/** A folder for the files of one run, which replaces those of an earlier run and no others. */
export class OutputFolder {
  readonly #folder: string;
  readonly #isForced: boolean;

  /** With `isForced` files of others are overwritten as well. */
  constructor(folder: string, isForced: boolean) {
    this.#folder = folder;
    this.#isForced = isForced;
  }

  /** Makes the folder. @throws Error when a file of these names is there that no earlier run has written */
  async prepare(names: readonly string[]): Promise<void> {
    await this.#make();
    if (this.#isForced) return;
    const own = new Set(await this.#written());
    const foreign: string[] = [];
    for (const name of names) if (!own.has(name) && (await this.#exists(name))) foreign.push(name);
    if (foreign.length === 0) return;
    throw new Error(
      `${this.#folder} has files that this command did not write: ${foreign.join(", ")}. ` +
        "Give another folder to --out, or overwrite them with --force",
    );
  }

  /** Writes all of it, and removes what an earlier run has written and this one has not. */
  async write(files: Files, report: object): Promise<void> {
    await this.prepare([...files.keys(), reportFile]);
    for (const old of await this.#written()) {
      if (!files.has(old) && old !== reportFile) await rm(join(this.#folder, old), { force: true });
    }
    const names = [...files.keys(), reportFile];
    // First of all: what is cut short is known as its own the next time.
    const listed = { writtenBy: writer, files: names, ...report };
    await writeFile(join(this.#folder, reportFile), `${JSON.stringify(listed, null, 2)}\n`);
    for (const [name, text] of files) await writeFile(join(this.#folder, name), text);
  }

  async #make(): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true });
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const why = code === "EEXIST" || code === "ENOTDIR" ? "there is a file of this name" : String(code);
      throw new Error(`${this.#folder} cannot be made: ${why}; give a folder to --out`, { cause });
    }
  }

  async #written(): Promise<readonly string[]> {
    try {
      const found = JSON.parse(await readFile(join(this.#folder, reportFile), "utf8")) as {
        readonly writtenBy?: unknown;
        readonly files?: unknown;
      };
      if (found.writtenBy !== writer || !Array.isArray(found.files)) return [];
      // Names, never ways out of the folder, whoever has written them.
      return found.files.filter(
        name => typeof name === "string" && /^[\w.-]+$/.test(name) && !name.startsWith("."),
      );
    } catch {
      return [];
    }
  }

  async #exists(name: string): Promise<boolean> {
    return stat(join(this.#folder, name)).then(
      () => true,
      () => false,
    );
  }
}
