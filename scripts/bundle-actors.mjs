// Makes packages/runtime/dist/actor-bundle.cjs of what `tsc -b` has built: all that a thread of actors loads, in one file.
// Threads load it only as long as the modules are those that it was made of, so it may be left out.
import { renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import {
  builtFolders,
  bundleDigest,
  bundleFile,
  findBundle,
  manifestFile,
} from "../packages/runtime/dist/actor-bundle.js";

const folders = builtFolders();
if (findBundle() === undefined) await writeBundle();

async function writeBundle() {
  const folder = fileURLToPath(folders.runtime);
  const { outputFiles, metafile } = await build({
    absWorkingDir: folder,
    entryPoints: ["actor-task.js"],
    outfile: bundleFile,
    bundle: true,
    // Synod's own code only: other packages find what they want beside themselves, as msgpackr its native reader.
    external: ["comlink", "msgpackr"],
    platform: "node",
    // What Piscina require()s, and so do Node's own loaders with less work than an ES module.
    format: "cjs",
    target: "node20.19",
    // The maps of tsc are followed, and both packages bring their sources.
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    write: false,
    logLevel: "warning",
  });
  const inputs = Object.keys(metafile.inputs).map(path => new URL(path, folders.runtime));
  const modulesIn = (/** @type {URL} */ of) => {
    const below = inputs.filter(({ href }) => href.startsWith(of.href));
    return below.map(({ href }) => href.slice(of.href.length)).sort();
  };
  const modules = { runtime: modulesIn(folders.runtime), core: modulesIn(folders.core) };
  const count = modules.runtime.length + modules.core.length;
  if (count !== inputs.length) {
    throw new Error(`of ${inputs.length} modules ${count} are Synod's: name other packages as external`);
  }
  const bundle = outputFiles.find(({ path }) => path.endsWith(bundleFile));
  if (bundle === undefined) throw new Error(`esbuild made no ${bundleFile}`);
  for (const { path, contents } of outputFiles) replace(path, contents);
  const manifest = { modules, sha256: bundleDigest(folders, modules, bundle.contents) };
  replace(fileURLToPath(new URL(manifestFile, folders.runtime)), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Whoever loads the file meanwhile finds the old one or the new one. @param {string} path @param {Uint8Array | string} content */
function replace(path, content) {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content);
  renameSync(draft, path);
}
