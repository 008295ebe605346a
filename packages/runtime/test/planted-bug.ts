import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { onTestFinished } from "vitest";

/** One replacement in a source file; `find` must occur exactly once there. */
export interface SourcePatch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Builds a folder of the sources with a bug in it, for the test that runs; returns the URL that loads its index. */
export async function plantBug(folder: string, { file, find, replace }: SourcePatch): Promise<string> {
  const source = new URL(`../src/${folder}/`, import.meta.url);
  const path = fileURLToPath(new URL(file, source));
  const parts = readFileSync(path, "utf8").split(find);
  if (parts.length !== 2) throw new Error(`${file} holds this ${parts.length - 1} times, not once: ${find}`);
  const built = mkdtempSync(join(tmpdir(), `synod-${folder}-`));
  onTestFinished(() => rmSync(built, { recursive: true }));
  const outfile = join(built, "index.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("index.ts", source))],
    bundle: true,
    outfile,
    format: "esm",
    platform: "node",
    target: "node20",
    plugins: [
      {
        name: "bug",
        setup({ onLoad }) {
          onLoad({ filter: new RegExp(`[\\\\/]${folder}[\\\\/]${file.replace(".", "\\.")}$`) }, () => ({
            contents: parts.join(replace),
            loader: "ts",
          }));
        },
      },
    ],
  });
  return pathToFileURL(outfile).href;
}
