import { readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  /** The file for a page without a bundler. */
  readonly unpkg?: string;
}

const libraryFile = "d3-flamegraph.umd.min.js";

/** The scripts of d3-flame-graph and of all that it stands on, in an order in which each finds what it needs. */
export function flameGraphScripts(): string[] {
  const scripts: string[] = [];
  const seen = new Set<string>();
  const addDependencies = (folder: string): Manifest => {
    const file = join(folder, "package.json");
    const manifest = JSON.parse(readFileSync(file, "utf8")) as Manifest;
    const here = createRequire(file);
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      if (seen.has(name)) continue;
      seen.add(name);
      const dependency = folderOf(name, here);
      const { unpkg } = addDependencies(dependency);
      // Some are parts of others on a page.
      if (unpkg !== undefined) scripts.push(readFileSync(join(dependency, unpkg), "utf8"));
    }
    return manifest;
  };
  const main = realpathSync(fileURLToPath(import.meta.resolve("d3-flame-graph")));
  addDependencies(dirname(dirname(main)));
  // Beside its main file; its package names none for pages.
  scripts.push(readFileSync(join(dirname(main), libraryFile), "utf8"));
  return scripts;
}

/** A package need not export its package.json, but it lies in a folder of the package's name. */
function folderOf(name: string, from: NodeJS.Require): string {
  for (const path of from.resolve.paths(name) ?? []) {
    try {
      // Links lead to where its own dependencies lie beside it.
      return dirname(realpathSync(join(path, name, "package.json")));
    } catch {
      // Not here: further up.
    }
  }
  throw new Error(`${name} is not installed: install @synod/bench again`);
}

/** Runs in the page: draws one flame graph per thread, as wide as there is room, on paper as on a screen. */
export const pageScript = `
const flames = JSON.parse(document.getElementById("flames").textContent);
const colours = { synod: "#7fb2e5", program: "#f5a65b", package: "#8fcf9a", node: "#c3c7cf", garbage: "#ea7f7f" };
function draw(widthOf) {
  for (const [index, flame] of flames.entries()) {
    const box = document.getElementById("flame-" + index);
    box.replaceChildren();
    if (!(flame.value > 0)) continue;
    const chart = flamegraph.default()
      .width(widthOf(box)).cellHeight(18).minFrameSize(1).transitionDuration(150).sort(true).inverted(true)
      .setColorMapper(frame => frame.highlight ? "#e600e6" : colours[frame.data.kind])
      .setLabelHandler(frame => frame.data.name + ": " + frame.data.value.toFixed(1) + " ms, " +
        (100 * frame.data.value / flame.value).toFixed(1) + " % of the busy time");
    chart.title("");
    d3.select(box).datum(structuredClone(flame)).call(chart);
  }
}
const onScreen = () => draw(box => box.clientWidth);
let resizing;
addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(onScreen, 200); });
addEventListener("beforeprint", () => draw(() => 660));
addEventListener("afterprint", onScreen);
onScreen();
`;
