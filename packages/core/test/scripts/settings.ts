/** The `name=value` words of a command. */
export class Settings {
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
