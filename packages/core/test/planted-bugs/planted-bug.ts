import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SimulationOptions, SimulationResult } from "@synod/core/testing";
import { build } from "esbuild";

/** One replacement in a source file of core. `find` must occur exactly once there. */
export interface SourcePatch {
  /** Below `packages/core/src`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A mistake that people make in Multi-Paxos, and the rule of docs/protocol.md that it breaks. */
export interface PlantedBug {
  readonly name: string;
  readonly rule: number;
  readonly patches: readonly SourcePatch[];
  /** What the runs need to be able to show it. */
  readonly options?: Omit<SimulationOptions, "seed">;
}

export type Simulate = (options: SimulationOptions) => SimulationResult;
type Testing = typeof import("@synod/core/testing");

const source = new URL("../../src/", import.meta.url);

/** The simulator with the roles it drives, built from the sources with the patches applied. */
export async function buildPatched(patches: readonly SourcePatch[]): Promise<Testing> {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL("testing/index.ts", source))],
    bundle: true,
    write: false,
    logLevel: "silent",
    format: "iife",
    globalName: "patched",
    platform: "neutral",
    target: "node20",
    plugins: [
      {
        name: "patches",
        setup({ onLoad }) {
          for (const file of new Set(patches.map(patch => patch.file))) {
            const path = fileURLToPath(new URL(file, source));
            const contents = patchedSource(
              path,
              patches.filter(patch => patch.file === file),
            );
            const filter = new RegExp(`^${path.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$`);
            onLoad({ filter }, () => ({ contents, loader: "ts" }));
          }
        },
      },
    ],
  });
  const code = bundle.outputFiles[0]?.text ?? "";
  return new Function(`${code}
return patched;`)() as Testing;
}

function patchedSource(path: string, patches: readonly SourcePatch[]): string {
  let text = readFileSync(path, "utf8");
  for (const { find, replace } of patches) {
    const parts = text.split(find);
    if (parts.length !== 2)
      throw new Error(`${path} holds this ${parts.length - 1} times, not once:\n${find}`);
    text = parts.join(replace);
  }
  return text;
}

/** Runs seed after seed; returns the first result that breaks something, or `undefined`. */
export function firstFailure(simulate: Simulate, seedsMax: number, options: PlantedBug["options"] = {}) {
  for (let seed = 1; seed <= seedsMax; seed++) {
    // Bugs that need observers ask for them: to the others they are only in the way.
    const result = simulate({ ...options, profile: { observers: 0, ...options.profile }, seed });
    if (result.violation !== undefined) return result;
  }
  return undefined;
}
