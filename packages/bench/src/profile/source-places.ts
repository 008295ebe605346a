import { existsSync, readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { RawPlace } from "./cpu-profile.js";

/** Whose code a place is in: Synod's own, another package's by its name, or the program's that is measured. */
export type Owner = "synod" | "program" | `package ${string}`;

/** A place in the sources, as a reader finds it. */
export interface SourcePlace {
  /** The file, from the working directory or from its package's folder on, and the line from 1: `src/store.ts:12`. */
  readonly text: string;
  readonly owner: Owner;
}

interface Generated {
  readonly lines: readonly string[];
  readonly map: { readonly map: SourceMap; readonly base: string; readonly root: string } | undefined;
}

const mapComment = /^[ \t]*\/\/[#@] sourceMappingURL=(\S+)\s*$/gm;
/** Larger than any column: asks for the last mapping of a line. */
const lineEnd = 2 ** 31 - 1;

/** Finds the sources of what ran, by the source maps that built files and bundles name; each file is read once. */
export class SourcePlaces {
  readonly #files = new Map<string, Generated | undefined>();
  readonly #packages = new Map<string, { readonly folder: string; readonly name: string } | undefined>();
  readonly #folder: string;

  /** Files below this folder are told from it on. */
  constructor(folder: string = process.cwd()) {
    this.#folder = folder;
  }

  /** Undefined for a place that is in no file. */
  find(place: RawPlace): SourcePlace | undefined {
    if (!place.url.startsWith("file:")) return undefined;
    const path = fileURLToPath(place.url);
    const original = this.#original(path, place) ?? { path, line: place.line };
    const home = this.#packageOf(dirname(original.path));
    return {
      text: `${this.#shown(original.path, home)}:${original.line + 1}`,
      owner: ownerOf(original.path, home),
    };
  }

  /** A function's or line's file and line, or whatever is known of it. */
  textOf(place: RawPlace): string {
    const found = this.find(place)?.text;
    if (found !== undefined) return found;
    return place.url === "" ? "" : `${place.url}:${place.line + 1}`;
  }

  /** Whether a line parks its thread: V8 counts the time within `Atomics.wait` as work of its caller. */
  readonly isWaiting = ({ url, line }: RawPlace): boolean => {
    if (!url.startsWith("file:")) return false;
    return /\bAtomics\.wait\(/.test(this.#read(fileURLToPath(url))?.lines[line] ?? "");
  };

  #original(path: string, { line, column }: RawPlace): { path: string; line: number } | undefined {
    const generated = this.#read(path)?.map;
    if (generated === undefined) return undefined;
    const entry = generated.map.findEntry(line, column ?? lineEnd);
    if (!("originalSource" in entry) || entry.generatedLine !== line) return undefined;
    const source = `${generated.root}${entry.originalSource}`;
    const url = new URL(source, generated.base);
    return url.protocol === "file:" ? { path: fileURLToPath(url), line: entry.originalLine } : undefined;
  }

  #read(path: string): Generated | undefined {
    if (!this.#files.has(path)) this.#files.set(path, readGenerated(path));
    return this.#files.get(path);
  }

  #shown(path: string, home: { readonly folder: string; readonly name: string } | undefined): string {
    const fromHere = relative(this.#folder, path);
    const isFar = fromHere.startsWith("..") || fromHere.includes(`node_modules${sep}`);
    if (!isFar) return fromHere.split(sep).join("/");
    if (home === undefined) return path.split(sep).slice(-2).join("/");
    return join(home.name, relative(home.folder, path)).split(sep).join("/");
  }

  /** The nearest one above that has a name. */
  #packageOf(folder: string): { readonly folder: string; readonly name: string } | undefined {
    if (!this.#packages.has(folder)) this.#packages.set(folder, this.#findPackage(folder));
    return this.#packages.get(folder);
  }

  #findPackage(folder: string): { readonly folder: string; readonly name: string } | undefined {
    const name = nameIn(join(folder, "package.json"));
    if (name !== undefined) return { folder, name };
    const above = dirname(folder);
    return above === folder ? undefined : this.#packageOf(above);
  }
}

function ownerOf(path: string, home: { readonly name: string } | undefined): Owner {
  if (home?.name.startsWith("@synod/")) return isTest(path) ? "program" : "synod";
  return path.includes(`${sep}node_modules${sep}`) && home !== undefined ? `package ${home.name}` : "program";
}

/** A package's tests measure it, as any program does. */
function isTest(path: string): boolean {
  return path.includes(`${sep}test${sep}`);
}

function nameIn(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as { name?: string }).name;
  } catch {
    return undefined;
  }
}

function readGenerated(path: string): Generated | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  return { lines: text.split("\n"), map: readMap(path, text) };
}

/** Of a file's last comment that names one: beside it, elsewhere, or in the comment itself. */
function readMap(path: string, text: string): Generated["map"] {
  const reference = [...text.matchAll(mapComment)].at(-1)?.[1];
  if (reference === undefined) return undefined;
  try {
    const url = new URL(reference, pathToFileURL(path));
    const isInline = url.protocol === "data:";
    const json = isInline ? textOfData(url.href) : readFileSync(url, "utf8");
    const payload = JSON.parse(json) as SourceMapPayload & { sourceRoot?: string };
    const root = payload.sourceRoot ?? "";
    const base = isInline ? pathToFileURL(resolve(path)).href : url.href;
    return { map: new SourceMap(payload), base, root: root === "" || root.endsWith("/") ? root : `${root}/` };
  } catch {
    // A map that cannot be read leaves what it would explain as it is.
    return undefined;
  }
}

function textOfData(url: string): string {
  const comma = url.indexOf(",");
  const body = url.slice(comma + 1);
  return url.slice(0, comma).endsWith(";base64")
    ? Buffer.from(body, "base64").toString("utf8")
    : decodeURIComponent(body);
}
