// Writes the API reference of the packages to docs/api, from their docstrings.
import { fileURLToPath } from "node:url";
import { Application } from "typedoc";

/** @param {string} path */
const at = path => fileURLToPath(new URL(path, import.meta.url));
const app = await Application.bootstrap({
  name: "Synod",
  entryPoints: ["index", "machines/kv", "machines/counters", "machines/locks", "testing/index"].map(entry =>
    at(`../../packages/runtime/src/${entry}.ts`),
  ),
  tsconfig: at("../../packages/runtime/tsconfig.json"),
  readme: "none",
  excludePrivate: true,
  excludeInternal: true,
  disableGit: true,
  sourceLinkTemplate: "{path}",
  skipErrorChecking: true,
});
const project = await app.convert();
if (project === undefined) throw new Error("TypeDoc could not read the sources: see above");
await app.generateDocs(project, at("../../docs/api"));
