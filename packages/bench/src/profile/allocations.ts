import type { HeapProfiler } from "node:inspector";
import type { RawPlace } from "./cpu-profile.js";

/** What a function has allocated, with what it calls in Node.js and the engine. */
export interface FunctionBytes {
  readonly name: string;
  readonly at: RawPlace;
  readonly bytes: number;
}

/** Bytes by function, the most first: an estimate from samples, of what was freed since as well. */
export function allocationsOf({ head }: HeapProfiler.SamplingHeapProfile): FunctionBytes[] {
  const found = new Map<string, { name: string; at: RawPlace; bytes: number }>();
  const visit = (node: HeapProfiler.SamplingHeapProfileNode, above: FunctionBytes | undefined): void => {
    const { functionName: name, url, lineNumber: line, columnNumber: column } = node.callFrame;
    const isOwn = url !== "" && !url.startsWith("node:");
    const own = isOwn ? { name, at: { url, line, column }, bytes: 0 } : above;
    if (own !== undefined && node.selfSize > 0) {
      const key = `${own.at.url}:${own.at.line}:${own.at.column}`;
      const entry = found.get(key) ?? { ...own, bytes: 0 };
      entry.bytes += node.selfSize;
      found.set(key, entry);
    }
    for (const child of node.children) visit(child, own);
  };
  visit(head, undefined);
  return [...found.values()].sort((a, b) => b.bytes - a.bytes);
}
