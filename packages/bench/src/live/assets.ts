import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** A file that the page loads. */
interface Asset {
  readonly url: URL;
  readonly type: string;
}

const script = "text/javascript; charset=utf-8";
const require = createRequire(import.meta.url);
const uPlotFile = (name: string) =>
  new URL(`dist/${name}`, `file://${require.resolve("uplot/package.json")}`);
const own = (path: string): [string, Asset] => [
  path,
  { url: new URL(`./${path}`, import.meta.url), type: script },
];

/** By the path below the token. The page's modules import each other by these paths; nothing else is served. */
const assets: ReadonlyMap<string, Asset> = new Map([
  own("limits.js"),
  ...["actors", "charts", "controls", "dom", "log", "main", "reduce", "sequence", "sequence-layout"].map(
    name => own(`page/${name}.js`),
  ),
  ["uplot.js", { url: uPlotFile("uPlot.esm.js"), type: script }],
  ["uplot.css", { url: uPlotFile("uPlot.min.css"), type: "text/css; charset=utf-8" }],
]);

/** The file at a path below the token; undefined when there is none. */
export async function readAsset(path: string): Promise<{ body: string; type: string } | undefined> {
  const asset = assets.get(path);
  return asset && { body: await readFile(asset.url, "utf8"), type: asset.type };
}
