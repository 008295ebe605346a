import type { Profiler } from "node:inspector";

/** The place of a function or of a line, as the profile has it: lines and columns from 0. */
export interface RawPlace {
  readonly url: string;
  readonly line: number;
  /** Undefined where only the line is known. */
  readonly column?: number;
}

/** Time within a function: its own and that of what it calls in Node.js and the engine, which has no lines. */
export interface FunctionTime {
  readonly name: string;
  readonly at: RawPlace;
  readonly ms: number;
  /** Its own time by line; less than `ms` by what it calls. */
  readonly lines: readonly { readonly line: number; readonly ms: number }[];
}

/** Synod's own code, the program's that is measured, another package's, Node.js and the engine, or garbage collection. */
type FrameKind = "synod" | "program" | "package" | "node" | "garbage";

/** A node of a flame graph: `value` is in milliseconds, and holds that of all children. */
export interface Flame {
  readonly name: string;
  /** Whose code it is: decides its colour. */
  readonly kind: FrameKind;
  readonly value: number;
  readonly children: Flame[];
}

/** Where the time of one thread went. All in milliseconds; `parkedMs` and `busyMs` make up `totalMs`. */
export interface CpuTime {
  readonly totalMs: number;
  /** It had nothing to do: its event loop was idle, or it stood in `Atomics.wait`. */
  readonly parkedMs: number;
  readonly busyMs: number;
  readonly garbageMs: number;
  /** The engine and Node.js outside of any JavaScript. */
  readonly programMs: number;
  /** The busiest first. */
  readonly functions: readonly FunctionTime[];
}

/** Tells lines that park the thread, which V8 counts as work of whoever calls. */
export type IsWaiting = (place: RawPlace) => boolean;
/** What a function is called in a flame graph, and whose it is. */
export type FrameOf = (name: string, place: RawPlace) => Pick<Flame, "name" | "kind">;

type Node = Profiler.ProfileNode;

/** What a frame of the tree is, for those that are no JavaScript. */
const idle = "(idle)";
const garbage = "(garbage collector)";
const program = "(program)";
const root = "(root)";

interface Weighed {
  readonly node: Node;
  readonly parent: Weighed | undefined;
  /** Without the time in which it was parked. */
  busyMs: number;
  parkedMs: number;
}

/** A profile as a tree with times, of which sums can be made. */
export class CpuProfile {
  readonly #nodes: readonly Weighed[];
  /** What the profiler takes to start and to end is in its own profile. */
  readonly #profilerMs: number;

  constructor(profile: Profiler.Profile, isWaiting: IsWaiting) {
    const selfMs = selfTimes(profile);
    const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map(at => [at, id])));
    const weighed = new Map<number, Weighed>();
    // Parents come before their children.
    for (const node of profile.nodes) {
      const parent = weighed.get(parents.get(node.id) ?? -1);
      const ms = selfMs.get(node.id) ?? 0;
      const parkedMs = node.callFrame.functionName === idle ? ms : ms * waitingShare(node, isWaiting);
      weighed.set(node.id, { node, parent, busyMs: ms - parkedMs, parkedMs });
    }
    const all = [...weighed.values()];
    const own = all.filter(isProfiler);
    this.#profilerMs = own.reduce((sum, { busyMs }) => sum + busyMs, 0);
    this.#nodes = all.filter(node => !own.includes(node));
  }

  time(): CpuTime {
    const sum = (of: (node: Weighed) => number) => this.#nodes.reduce((all, node) => all + of(node), 0);
    const named = (name: string) =>
      sum(({ node, busyMs }) => (node.callFrame.functionName === name ? busyMs : 0));
    const parkedMs = sum(node => node.parkedMs);
    const busyMs = sum(node => node.busyMs);
    return {
      totalMs: parkedMs + busyMs,
      parkedMs,
      busyMs,
      garbageMs: named(garbage),
      programMs: named(program),
      functions: this.#functions(),
    };
  }

  /** How much of the profile is the profiler's own work, in milliseconds; it is in no sum. */
  get profilerMs(): number {
    return this.#profilerMs;
  }

  /** All that is not parked, as a tree; frames with less than so much of the thread's time are left out. */
  flame(frameOf: FrameOf, share: number): Flame {
    const top: Flame & { value: number } = { name: "busy", kind: "node", value: 0, children: [] };
    const places = new Map<Weighed, Flame & { value: number }>();
    const placeOf = (weighed: Weighed): Flame & { value: number } => {
      if (weighed.parent === undefined) return top;
      const known = places.get(weighed);
      if (known !== undefined) return known;
      const above = placeOf(weighed.parent);
      const { functionName, url, lineNumber: line, columnNumber: column } = weighed.node.callFrame;
      const frame = frameOf(functionName, { url, line, column });
      let here = above.children.find(child => child.name === frame.name);
      if (here === undefined) {
        here = { ...frame, value: 0, children: [] };
        above.children.push(here);
      }
      places.set(weighed, here);
      return here;
    };
    let totalMs = 0;
    for (const weighed of this.#nodes) {
      totalMs += weighed.busyMs + weighed.parkedMs;
      for (let at: Weighed | undefined = weighed; at !== undefined; at = at.parent) {
        placeOf(at).value += weighed.busyMs;
      }
    }
    return pruned(top, totalMs * share);
  }

  #functions(): FunctionTime[] {
    const found = new Map<string, { name: string; at: RawPlace; ms: number; lines: Map<number, number> }>();
    for (const { node, parent, busyMs } of this.#nodes) {
      if (busyMs <= 0) continue;
      let owner: Weighed | undefined = { node, parent, busyMs, parkedMs: 0 };
      while (owner !== undefined && !isInFile(owner.node)) owner = owner.parent;
      if (owner === undefined) continue;
      const { functionName, url, lineNumber: line, columnNumber: column } = owner.node.callFrame;
      const key = `${url}:${line}:${column}`;
      const entry = found.get(key) ?? {
        name: functionName,
        at: { url, line, column },
        ms: 0,
        lines: new Map(),
      };
      entry.ms += busyMs;
      if (owner.node === node) addLines(entry.lines, node, busyMs);
      found.set(key, entry);
    }
    return [...found.values()]
      .map(entry => ({ ...entry, lines: [...entry.lines].map(([line, ms]) => ({ line, ms })) }))
      .sort((a, b) => b.ms - a.ms);
  }
}

/** By node, in milliseconds: what was seen at one look holds until the next. */
function selfTimes({
  samples = [],
  timeDeltas = [],
  startTime,
  endTime,
}: Profiler.Profile): Map<number, number> {
  const selfMs = new Map<number, number>();
  let at = startTime;
  samples.forEach((id, index) => {
    at += timeDeltas[index] ?? 0;
    const us = timeDeltas[index + 1] ?? Math.max(0, endTime - at);
    selfMs.set(id, (selfMs.get(id) ?? 0) + Math.max(0, us) / 1000);
  });
  return selfMs;
}

/** Of the looks that found this node on top, how many found it on a line that parks the thread. */
function waitingShare({ callFrame, positionTicks = [] }: Node, isWaiting: IsWaiting): number {
  const ticks = positionTicks.reduce((sum, tick) => sum + tick.ticks, 0);
  if (ticks === 0) return 0;
  const waiting = positionTicks.filter(({ line }) => isWaiting({ url: callFrame.url, line: line - 1 }));
  return waiting.reduce((sum, tick) => sum + tick.ticks, 0) / ticks;
}

function addLines(lines: Map<number, number>, { positionTicks = [] }: Node, ms: number): void {
  const ticks = positionTicks.reduce((sum, tick) => sum + tick.ticks, 0);
  for (const { line, ticks: own } of positionTicks) {
    lines.set(line - 1, (lines.get(line - 1) ?? 0) + (ms * own) / ticks);
  }
}

function isProfiler({ node, parent }: Weighed): boolean {
  return node.callFrame.functionName === "dispatch" && parent?.node.callFrame.url === "node:inspector";
}

/** Not of Node.js or the engine itself. */
function isInFile({ callFrame: { url, functionName } }: Node): boolean {
  return functionName !== root && url !== "" && !url.startsWith("node:") && !url.startsWith("wasm:");
}

function pruned(flame: Flame, leastMs: number): Flame {
  const children = flame.children.filter(({ value }) => value > 0 && value >= leastMs);
  return { ...flame, children: children.map(child => pruned(child, leastMs)) };
}
